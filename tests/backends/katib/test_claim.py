"""What comes of a claim's access modes."""

from collections.abc import Sequence

import pytest

from housectl.backends.katib.readiness.claim import reach_problem


@pytest.mark.parametrize(
    ("modes", "nodes", "problem"),
    [
        (["ReadWriteMany"], 3, None),
        (["ReadWriteOnce", "ReadWriteMany"], 3, None),
        (["ReadWriteOnce"], 1, None),
        (["ReadWriteOnce"], 3, "3 nodes take pods"),
        (["ReadWriteOncePod"], 1, "only one trial"),
        (["ReadOnlyMany"], 1, "no trial can write"),
    ],
)
def test_what_comes_of_an_access_mode(
    modes: Sequence[str], nodes: int, problem: str | None
) -> None:
    found = reach_problem(modes, nodes=nodes)
    assert (found is None) if problem is None else (found is not None and problem in found)
