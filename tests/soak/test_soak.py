from pathlib import Path

import pytest

from tests.soak.soak import SoakPlan, soak

PLAN = SoakPlan(
    seconds=15.0,
    swaps=12,
    kill_every=3,
    outage_every=4,
    clients=2,
    pause=0.005,
    min_requests=200,
    # Caches still fill.
    max_growth=0.5,
)


@pytest.mark.slow
def test_short_soak(tmp_path: Path) -> None:
    result = soak(PLAN, tmp_path, log=print)
    assert result.missed == [], result.counts.failures
