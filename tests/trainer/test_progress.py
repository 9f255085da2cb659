"""Progress of long work: the expected time comes first, then the rest of it."""

from collections.abc import Iterator

import pytest

from housectl_trainer import progress
from tests.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def work(clock: Clock, total: int, seconds: float, processes: int) -> Iterator[int]:
    """Yield items as so many processes finish them: each round of items at the same time."""
    for number in range(total):
        if number % processes == 0:
            clock.now += seconds
        yield number


@pytest.mark.parametrize(("processes", "expected"), [(1, 54), (2, 27), (4, 14)])
def test_first_line_has_the_number_of_fits_and_the_expected_time(
    clock: Clock, capsys: pytest.CaptureFixture[str], processes: int, expected: int
) -> None:
    items = work(clock, 55, 1.0, processes)
    list(progress.report_progress(items, total=55, what="fit", processes=processes))
    first, second, *_ = capsys.readouterr().err.splitlines()
    assert first == f"55 fits, about {expected} s"
    assert second.startswith("fit ")
    assert second.endswith(" s left")


def test_every_two_seconds_have_a_line_and_its_estimate_falls(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    list(progress.report_progress(work(clock, 20, 1.0, 1), total=20, what="fit"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[:3] == [
        "20 fits, about 19 s",
        "fit 3 of 20, about 17 s left",
        "fit 5 of 20, about 15 s left",
    ]
    assert lines[-1] == "fit 19 of 20, about 1 s left"


def test_short_work_has_no_line(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    list(progress.report_progress(work(clock, 55, 0.03, 1), total=55, what="fit"))
    assert capsys.readouterr().err == ""
