"""Trials that the algorithm `housectl` suggests: numbers, results, and the next generation."""

from collections.abc import Mapping
from dataclasses import replace

from housectl.backends.katib.katib_objects import KatibExperiment, KatibTrial
from housectl.backends.katib.labels_and_paths import (
    EXPERIMENT_LABEL,
    GENERATION_LABEL,
    STOPPED_ANNOTATION,
)
from housectl.backends.katib.state.cluster_objects import ExperimentObjects
from housectl.backends.katib.state.generations import earlier_trials, newest_generation
from housectl.backends.katib.state.snapshot import experiment_snapshot
from housectl.backends.katib.state.trials import read_trials
from housectl.backends.katib.stop_marks import STOPPED_BY_USER
from housectl.contract.families import Family
from housectl.experiment import Budget, Experiment, ExperimentState, Limits, TrialState
from housectl.kube.objects.base import parse
from housectl.search.katib_texts import ALGORITHM, EarlierTrial, suggestion_texts, trial_name
from housectl.search.sampler import suggest
from tests.backends.workloads import SMALL_BOOSTING, SMALL_FOREST

EXPERIMENT = Experiment(
    name="both",
    spaces={Family.RANDOM_FOREST: SMALL_FOREST, Family.XGBOOST: SMALL_BOOSTING},
    budget=Budget(trials=8),
    limits=Limits(),
    workers=2,
    seed=3,
)
ASSIGNMENTS = [suggest(EXPERIMENT, number, earlier=(), objectives={}) for number in range(8)]


def sub_experiment(generation: int = 1, *, stopped: bool = False) -> KatibExperiment:
    manifest = {
        "metadata": {
            "name": "both" if generation == 1 else f"both-{generation}",
            "creationTimestamp": f"2026-11-29T19:0{generation}:00Z",
            "labels": {GENERATION_LABEL: str(generation)},
            "annotations": {STOPPED_ANNOTATION: STOPPED_BY_USER} if stopped else {},
        },
        "spec": {"algorithm": {"algorithmName": ALGORITHM}},
        "status": {"conditions": [{"type": "Failed", "status": "True"}] if stopped else []},
    }
    return parse(KatibExperiment, manifest)


def trial(
    number: int, end: str | None = None, *, owner: str = "both", **metrics: str
) -> KatibTrial:
    texts = suggestion_texts(EXPERIMENT, number, ASSIGNMENTS[number], rival=None)
    manifest = {
        "metadata": {
            "name": trial_name(EXPERIMENT, number),
            "labels": {EXPERIMENT_LABEL: owner},
            # Katib creates all trials of one request in the same second, in any order.
            "creationTimestamp": "2026-11-29T19:05:00Z",
        },
        "spec": {
            "objective": {"objectiveMetricName": "mse"},
            "parameterAssignments": [
                {"name": name, "value": value} for name, value in texts.items()
            ],
        },
        "status": {
            "conditions": [{"type": end, "status": "True", "message": "It ended."}] if end else [],
            "observation": {"metrics": [_metric(name, text) for name, text in metrics.items()]},
        },
    }
    return parse(KatibTrial, manifest)


def _metric(name: str, text: str) -> Mapping[str, str]:
    return {"name": name, "min": text, "max": text, "latest": text}


def objects_of(*trials: KatibTrial, experiments: tuple[KatibExperiment, ...]) -> ExperimentObjects:
    return ExperimentObjects(
        sub_experiments=experiments, suggestions=(), trials=trials, jobs=(), pods=(), events=()
    )


STOPPED = objects_of(
    trial(3, "Failed"),
    trial(1, "Succeeded", mse="9.25", pruned_after="2"),
    trial(2, "MetricsUnavailable", mse="unavailable"),
    trial(0, "Succeeded", mse="8.5", pruned_after="unavailable"),
    experiments=(sub_experiment(stopped=True),),
)


def test_numbers_and_families_follow_from_names() -> None:
    trials = read_trials(EXPERIMENT, STOPPED, lambda _: None)
    assert [(each.number, each.name) for each in trials] == [
        (number, f"both-000{number}") for number in range(4)
    ]
    assert [each.family for each in trials] == [Family.RANDOM_FOREST, Family.XGBOOST] * 2
    assert [each.assignment for each in trials] == ASSIGNMENTS[:4]


def test_pruned_trial_has_its_folds() -> None:
    best, pruned, without_metric, failed = read_trials(EXPERIMENT, STOPPED, lambda _: None)
    assert (best.state, best.mse, best.pruned_after) == (TrialState.SUCCEEDED, 8.5, None)
    assert (pruned.state, pruned.mse, pruned.pruned_after) == (TrialState.PRUNED, 9.25, 2)
    assert pruned.cause is None
    for each in (without_metric, failed):
        assert (each.state, each.mse, each.cause) == (TrialState.FAILED, None, "It ended.")


def test_next_generation_knows_ended_trials_and_the_rest_of_the_budget() -> None:
    newest = newest_generation(EXPERIMENT, STOPPED)
    (remaining,) = newest.remaining
    assert (remaining.name, remaining.budget.trials, remaining.generation) == ("both-2", 4, 2)
    assert earlier_trials(EXPERIMENT, STOPPED) == [
        EarlierTrial(number=number, assignment={**ASSIGNMENTS[number]}, mse=mse)
        for number, mse in enumerate((8.5, 9.25, None, None))
    ]


def test_running_trial_is_not_among_the_earlier_ones() -> None:
    running = replace(STOPPED, trials=(*STOPPED.trials, trial(4, mse="1.0")))
    assert [each.number for each in earlier_trials(EXPERIMENT, running)] == [0, 1, 2, 3]


def test_trials_of_all_generations_are_one_list() -> None:
    resumed = objects_of(
        *STOPPED.trials,
        trial(5, "Succeeded", owner="both-2", mse="7"),
        trial(4, owner="both-2"),
        experiments=(*STOPPED.sub_experiments, sub_experiment(2)),
    )
    snapshot = experiment_snapshot(
        EXPERIMENT, resumed, trial_cause=lambda _: None, search_cause=lambda _: None
    )
    assert snapshot.state is ExperimentState.RUNNING
    assert [each.number for each in snapshot.trials] == list(range(6))
    assert newest_generation(EXPERIMENT, resumed).missing == []


def test_trials_of_other_names_are_ignored() -> None:
    other = parse(
        KatibTrial, {"metadata": {"name": "both-abc", "labels": {EXPERIMENT_LABEL: "both"}}}
    )
    objects = replace(STOPPED, trials=(*STOPPED.trials, other))
    assert len(read_trials(EXPERIMENT, objects, lambda _: None)) == 4
