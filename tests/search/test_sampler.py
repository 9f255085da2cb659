"""The sampler yields the same assignments with any timing."""

import hashlib
import json
import random
from collections.abc import Callable, Mapping
from statistics import median

import pytest

from housectl.contract.families import Family
from housectl.contract.parameters import Assignment
from housectl.experiment import (
    MIN_LAG,
    Budget,
    Experiment,
    Limits,
    Parameter,
    ParameterKind,
    SearchSpace,
)
from housectl.search.sampler import missing_result, rival_of, suggest

SPACE = SearchSpace(
    parameters=(
        Parameter(name="x", kind=ParameterKind.DOUBLE, minimum=0.01, maximum=10, log=True),
        Parameter(name="n", kind=ParameterKind.INT, minimum=1, maximum=8),
        Parameter(name="kind", kind=ParameterKind.CATEGORICAL, choices=("a", "b", "c")),
    ),
    fixed={"trees": 20},
)
# Another digest is another list of trials: it needs another `SAMPLER_VERSION`.
LIST_DIGEST = "47b8ef60d9067895c5d6a8e0b2ddf7908323736b8fc9af9a516058b018567148"
FOREST, BOOSTING, LINEAR = Family.RANDOM_FOREST, Family.XGBOOST, Family.LINEAR


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


def assignments_of(
    work: Experiment,
    *,
    workers: int = 1,
    order: random.Random | None = None,
    trial_fails: Callable[[int], bool] = lambda _: False,
    trials: int = 30,
) -> list[Assignment]:
    """Search in memory, and return the assignments; `order` randomises the order of the ends."""
    order = order or random.Random(0)
    assignments: list[Assignment] = []
    objectives: dict[int, float] = {}
    finished: set[int] = set()
    while len(finished) < trials:
        while len(assignments) < trials and len(assignments) - len(finished) < workers:
            number = len(assignments)
            if missing_result(number, finished, lag=work.lag) is not None:
                break
            assignments.append(suggest(work, number, earlier=assignments, objectives=objectives))
        ended = order.choice(sorted(set(range(len(assignments))) - finished))
        finished.add(ended)
        if not trial_fails(ended):
            objectives[ended] = objective(assignments[ended])
    return assignments


def test_assignments_do_not_depend_on_timing_or_workers() -> None:
    expected = assignments_of(experiment({FOREST: SPACE}))
    for workers in (2, 4, MIN_LAG):
        for seed in range(3):
            assignments = assignments_of(
                experiment({FOREST: SPACE}), workers=workers, order=random.Random(seed)
            )
            assert assignments == expected


def test_other_seed_yields_other_assignments() -> None:
    assert assignments_of(experiment({FOREST: SPACE})) != assignments_of(
        experiment({FOREST: SPACE}, seed=2)
    )


def test_sampler_learns_from_results() -> None:
    assignments = assignments_of(experiment({FOREST: SPACE}), trials=100)
    early = median(map(objective, assignments[:20]))
    late = median(map(objective, assignments[80:]))
    assert late < early / 2


def test_results_within_lag_are_ignored() -> None:
    work = experiment({FOREST: SPACE})
    earlier = assignments_of(work)[:20]
    required = {number: objective(earlier[number]) for number in range(20 - MIN_LAG + 1)}
    complete = {number: objective(assignment) for number, assignment in enumerate(earlier)}
    assert suggest(work, 20, earlier=earlier, objectives=required) == suggest(
        work, 20, earlier=earlier, objectives=complete
    )
    required[20 - MIN_LAG] = -100.0
    assert suggest(work, 20, earlier=earlier, objectives=required) != suggest(
        work, 20, earlier=earlier, objectives=complete
    )


def test_inputs_are_ready_after_required_results() -> None:
    assert missing_result(7, set(), lag=8) is None
    assert missing_result(8, set(), lag=8) == 0
    assert missing_result(8, {0}, lag=8) is None
    assert missing_result(10, {0, 2}, lag=8) == 1


def test_rival_is_the_best_trial_before_the_lag() -> None:
    objectives = {0: 3.0, 1: 2.0, 2: 2.0, 5: 1.0}
    assert rival_of(7, objectives, lag=8) is None
    assert rival_of(8, objectives, lag=8) == 0
    assert rival_of(12, objectives, lag=8) == 1
    assert rival_of(13, objectives, lag=8) == 5


def test_values_are_plain_and_in_space() -> None:
    for assignment in assignments_of(experiment({FOREST: SPACE})):
        assert list(assignment) == ["trees", "x", "n", "kind"]
        x, n = assignment["x"], assignment["n"]
        assert type(x) is float
        assert 0.01 <= x <= 10
        assert type(n) is int
        assert 1 <= n <= 8
        assert assignment["kind"] in ("a", "b", "c")
        assert assignment["trees"] == 20


def test_steps_yield_each_of_their_values_as_a_clean_decimal() -> None:
    names = {"share": (0, 1, 0.1), "odd": (1, 8, 2), "offset": (-0.05, 0.3, 0.1)}
    space = SearchSpace(
        parameters=tuple(
            Parameter(
                name=name,
                kind=ParameterKind.INT if name == "odd" else ParameterKind.DOUBLE,
                minimum=minimum,
                maximum=maximum,
                step=step,
            )
            for name, (minimum, maximum, step) in names.items()
        )
    )
    work = experiment({FOREST: space})
    assignments: list[Assignment] = []
    for number in range(100):
        objectives = {n: float(each["share"]) for n, each in enumerate(assignments) if n % 4}
        assignments.append(suggest(work, number, earlier=assignments, objectives=objectives))
    shares, odds, offsets = ({each[name] for each in assignments} for name in names)
    assert shares == {0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0}
    assert odds == {1, 3, 5, 7}
    assert {type(value) for value in odds} == {int}
    assert offsets == {-0.05, 0.05, 0.15, 0.25}


def test_range_from_zero_and_choices_of_each_type_are_searched() -> None:
    choices = (1, 2.5, "sqrt")
    space = SearchSpace(
        parameters=(
            Parameter(name="gamma", kind=ParameterKind.DOUBLE, minimum=0, maximum=1),
            Parameter(name="features", kind=ParameterKind.CATEGORICAL, choices=choices),
        )
    )
    work = experiment({FOREST: space})
    assignments: list[Assignment] = []
    for number in range(60):
        objectives = {
            n: float(each["gamma"]) + (each["features"] != "sqrt")
            for n, each in enumerate(assignments)
        }
        assignments.append(suggest(work, number, earlier=assignments, objectives=objectives))
    assert {each["features"] for each in assignments} == set(choices)
    late = assignments[40:]
    assert median(float(each["gamma"]) for each in late) < 0.2
    assert sum(each["features"] == "sqrt" for each in late) > 12
    assert all(len(repr(each["gamma"])) <= 8 for each in assignments)


def test_last_bits_of_objectives_do_not_matter() -> None:
    work = experiment({FOREST: SPACE})
    assignments = assignments_of(work, trials=60)
    objectives = {n: objective(each) for n, each in enumerate(assignments)}
    assert suggest(work, 60, earlier=assignments, objectives=objectives) == suggest(
        work, 60, earlier=assignments, objectives={n: mse / 3 for n, mse in objectives.items()}
    )


def test_list_is_the_same_on_every_machine() -> None:
    assignments = assignments_of(experiment({FOREST: SPACE}), trials=40)
    text = json.dumps(assignments, sort_keys=True).encode()
    assert hashlib.sha256(text).hexdigest() == LIST_DIGEST


def test_enqueued_assignments_come_first_in_each_family() -> None:
    forest = SearchSpace(parameters=SPACE.parameters, enqueued=({"x": 1.0, "n": 2, "kind": "a"},))
    assignments = assignments_of(experiment({BOOSTING: SPACE, FOREST: forest}), workers=4)
    assert assignments[0] == {"x": 1.0, "n": 2, "kind": "a"}
    assert assignments[1]["trees"] == 20
    assert "trees" not in assignments[2]


def test_family_with_fewer_turns_misses_the_last_ones_of_each_round() -> None:
    work = experiment(dict.fromkeys((FOREST, BOOSTING, LINEAR), SPACE))
    families = [work.family_at_turn(number) for number in range(30)]
    assert families == [LINEAR, FOREST, BOOSTING, FOREST, BOOSTING] * 6
    for number in range(30):
        for family in Family:
            assert work.turns_before(number, family) == families[:number].count(family)


def test_each_enqueued_assignment_is_tried_once_despite_different_turns() -> None:
    enqueued = tuple({"x": float(x), "n": 2, "kind": "a"} for x in (1, 2, 3))
    space = SearchSpace(parameters=SPACE.parameters, enqueued=enqueued)
    work = experiment(dict.fromkeys((FOREST, BOOSTING, LINEAR), space))
    assignments = assignments_of(work, trials=15)
    for family in Family:
        own = [each for n, each in enumerate(assignments) if work.family_at_turn(n) is family]
        assert own[:3] == list(enqueued)


def test_enqueued_assignment_may_be_outside_space() -> None:
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


def test_family_learns_only_from_its_own_trials() -> None:
    work = experiment({BOOSTING: SPACE, FOREST: SPACE})
    earlier = assignments_of(work, trials=40)
    objectives = {number: objective(earlier[number]) for number in range(40)}
    objectives_of_other_family = dict.fromkeys(range(1, 40, 2), -1.0)
    assert suggest(work, 40, earlier=earlier, objectives=objectives) == suggest(
        work, 40, earlier=earlier, objectives={**objectives, **objectives_of_other_family}
    )


def test_assignments_with_failed_trials_do_not_depend_on_timing() -> None:
    work = experiment({FOREST: SPACE})
    expected = assignments_of(work, trial_fails=lambda number: number % 3 == 0)
    assignments = assignments_of(
        work, workers=4, order=random.Random(3), trial_fails=lambda number: number % 3 == 0
    )
    assert assignments == expected


def test_space_without_parameters_yields_constants() -> None:
    space = SearchSpace(parameters=(), fixed={"trees": 3})
    assert suggest(experiment({FOREST: space}), 0, earlier=[], objectives={}) == {"trees": 3}


@pytest.mark.filterwarnings("error")
def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    assignments_of(experiment({FOREST: SPACE}))
    assert capfd.readouterr() == ("", "")
