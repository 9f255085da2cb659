"""CPU time of one suggestion after many trials, all of which it learns from."""

import random
import time

from benchmarks.measurement import Direction, Measurement
from housectl.contract.families import Family
from housectl.experiment import Budget, Experiment, Limits
from housectl.search.sampler import suggest
from housectl.search.tpe import random_assignment
from housectl.search_spaces import wide_space

_ROUNDS = 9
_GOALS = {1_000: 20.0, 10_000: 100.0}


def measure() -> list[Measurement]:
    """Measure suggestions in the space with the most parameters."""
    return [_measure(trials, goal) for trials, goal in _GOALS.items()]


def _measure(trials: int, goal: float) -> Measurement:
    space = wide_space(Family.XGBOOST)
    experiment = Experiment(
        name="suggestions",
        spaces={Family.XGBOOST: space},
        budget=Budget(trials=trials + 1),
        limits=Limits(),
        workers=1,
        seed=1,
    )
    source = random.Random(1)
    earlier = [random_assignment(space.parameters, source) for _ in range(trials)]
    objectives = {number: source.random() for number in range(trials)}
    rounds = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        suggest(experiment, trials, earlier=earlier, objectives=objectives)
        rounds.append((time.process_time() - start) * 1000)
    return Measurement(
        name=f"suggestion after {trials:,} trials",
        ratio=min(rounds),
        goal=goal,
        better=Direction.LOWER,
        unit="ms",
        detail=f"{min(rounds):.1f} to {max(rounds):.1f} ms of CPU time",
    )
