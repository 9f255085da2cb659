"""The sampler: one list of assignments, whatever the timing."""

import random
from collections.abc import Callable, Mapping

import pytest

from housectl.backends.local.sampler import LAG, inputs_ready, suggest
from housectl.contract.families import Family
from housectl.contract.parameters import Assignment
from housectl.experiment import (
    Budget,
    Experiment,
    Limits,
    Parameter,
    ParameterKind,
    SearchSpace,
)

SPACE = SearchSpace(
    parameters=(
        Parameter(name="x", kind=ParameterKind.DOUBLE, minimum=0.01, maximum=10, log=True),
        Parameter(name="n", kind=ParameterKind.INT, minimum=1, maximum=8),
        Parameter(name="kind", kind=ParameterKind.CATEGORICAL, choices=("a", "b", "c")),
    ),
    fixed={"trees": 20},
)
FOREST, BOOSTING = Family.RANDOM_FOREST, Family.XGBOOST


def experiment(spaces: Mapping[Family, SearchSpace], seed: int = 1) -> Experiment:
    return Experiment(
        name="sampled",
        spaces=spaces,
        budget=Budget(trials=30),
        limits=Limits(),
        workers=2,
        seed=seed,
    )


def objective(assignment: Assignment) -> float:
    penalty = {"a": 0.0, "b": 1.0, "c": 2.0}[str(assignment["kind"])]
    return abs(float(assignment["x"]) - 1) + abs(int(assignment["n"]) - 4) + penalty


def searched(
    work: Experiment,
    *,
    workers: int = 1,
    order: random.Random | None = None,
    fails: Callable[[int], bool] = lambda _: False,
    trials: int = 30,
) -> list[Assignment]:
    """Search in memory; with `order`, running trials end in a random order."""
    order = order or random.Random(0)
    assignments: list[Assignment] = []
    objectives: dict[int, float] = {}
    finished: set[int] = set()
    while len(finished) < trials:
        while len(assignments) < trials and len(assignments) - len(finished) < workers:
            number = len(assignments)
            if not inputs_ready(number, finished):
                break
            assignments.append(suggest(work, number, earlier=assignments, objectives=objectives))
        ending = order.choice(sorted(set(range(len(assignments))) - finished))
        finished.add(ending)
        if not fails(ending):
            objectives[ending] = objective(assignments[ending])
    return assignments


def test_timing_and_workers_change_nothing() -> None:
    expected = searched(experiment({FOREST: SPACE}))
    for workers in (2, 4, LAG):
        for seed in range(3):
            found = searched(
                experiment({FOREST: SPACE}), workers=workers, order=random.Random(seed)
            )
            assert found == expected


def test_another_seed_gives_other_assignments() -> None:
    assert searched(experiment({FOREST: SPACE})) != searched(experiment({FOREST: SPACE}, seed=2))


def test_results_are_learnt_from() -> None:
    assignments = searched(experiment({FOREST: SPACE}), trials=60)
    early = sorted(map(objective, assignments[:20]))[10]
    late = sorted(map(objective, assignments[40:]))[10]
    assert late < early / 2


def test_results_after_the_lag_are_not_looked_at() -> None:
    work = experiment({FOREST: SPACE})
    earlier = searched(work)[:20]
    known = {number: objective(earlier[number]) for number in range(20 - LAG + 1)}
    all_known = {number: objective(assignment) for number, assignment in enumerate(earlier)}
    assert suggest(work, 20, earlier=earlier, objectives=known) == suggest(
        work, 20, earlier=earlier, objectives=all_known
    )
    known[20 - LAG] = -100.0
    assert suggest(work, 20, earlier=earlier, objectives=known) != suggest(
        work, 20, earlier=earlier, objectives=all_known
    )


def test_a_trial_waits_for_the_results_that_it_depends_on() -> None:
    assert inputs_ready(LAG - 1, set())
    assert not inputs_ready(LAG, set())
    assert inputs_ready(LAG, {0})
    assert not inputs_ready(LAG + 2, {0, 2})


def test_values_are_plain_and_within_the_space() -> None:
    for assignment in searched(experiment({FOREST: SPACE})):
        assert list(assignment) == ["trees", "x", "n", "kind"]
        x, n = assignment["x"], assignment["n"]
        assert type(x) is float
        assert 0.01 <= x <= 10
        assert type(n) is int
        assert 1 <= n <= 8
        assert assignment["kind"] in ("a", "b", "c")
        assert assignment["trees"] == 20


def test_enqueued_assignments_come_first_in_each_family() -> None:
    forest = SearchSpace(parameters=SPACE.parameters, enqueued=({"x": 1.0, "n": 2, "kind": "a"},))
    assignments = searched(experiment({BOOSTING: SPACE, FOREST: forest}), workers=4)
    assert assignments[0] == {"x": 1.0, "n": 2, "kind": "a"}
    assert assignments[1]["trees"] == 20
    assert "trees" not in assignments[2]


def test_an_enqueued_assignment_may_lie_outside_of_the_space() -> None:
    assignments: list[Assignment] = [
        {"x": 100.0, "n": 2, "kind": "a"},
        {"x": 1.0, "n": 2, "kind": "z"},
        {"n": 1},
    ]
    for outside in assignments:
        space = SearchSpace(parameters=SPACE.parameters, enqueued=(outside,))
        first, second = (
            suggest(experiment({FOREST: space}), number, earlier=[outside], objectives={})
            for number in (0, 1)
        )
        assert first == outside
        assert second.keys() == {"x", "n", "kind"}


def test_a_family_learns_from_its_own_trials_only() -> None:
    work = experiment({BOOSTING: SPACE, FOREST: SPACE})
    earlier = searched(work, trials=40)
    objectives = {number: objective(earlier[number]) for number in range(40)}
    of_others = dict.fromkeys(range(1, 40, 2), -1.0)
    assert suggest(work, 40, earlier=earlier, objectives=objectives) == suggest(
        work, 40, earlier=earlier, objectives={**objectives, **of_others}
    )


def test_failed_trials_do_not_depend_on_timing_either() -> None:
    work = experiment({FOREST: SPACE})
    expected = searched(work, fails=lambda number: number % 3 == 0)
    found = searched(work, workers=4, order=random.Random(3), fails=lambda number: number % 3 == 0)
    assert found == expected


def test_a_space_without_parameters_gives_what_is_fixed() -> None:
    space = SearchSpace(parameters=(), fixed={"trees": 3})
    assert suggest(experiment({FOREST: space}), 0, earlier=[], objectives={}) == {"trees": 3}


@pytest.mark.filterwarnings("error")
def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    searched(experiment({FOREST: SPACE}))
    assert capfd.readouterr() == ("", "")
