"""Snapshots of experiments whose objects were recorded from a real Katib."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest

from housectl.backends.base import Snapshot
from housectl.backends.katib.katib_objects import KatibTrial
from housectl.backends.katib.labels_and_paths import (
    EXPERIMENT_LABEL,
    FAMILY_LABEL,
    GENERATION_LABEL,
    STOPPED_ANNOTATION,
)
from housectl.backends.katib.state.cluster_objects import ExperimentObjects
from housectl.backends.katib.state.snapshot import experiment_snapshot
from housectl.backends.katib.stop_marks import STOPPED_BY_TIME_LIMIT, STOPPED_BY_USER
from housectl.contract.families import Family
from housectl.experiment import (
    Budget,
    Experiment,
    ExperimentState,
    Limits,
    Parameter,
    ParameterKind,
    SearchSpace,
    TrialState,
    best_trial,
)
from tests.backends.katib.diagnosis.recorded_cases import katib_case

SPACE = SearchSpace(
    parameters=(
        Parameter(name="x", kind=ParameterKind.DOUBLE, minimum=0.05, maximum=1.0),
        Parameter(name="y", kind=ParameterKind.INT, minimum=100, maximum=200),
    ),
    fixed={"z": 3},
)
EXPERIMENT = Experiment(
    name="recorded",
    spaces={Family.RANDOM_FOREST: SPACE},
    budget=Budget(trials=12),
    limits=Limits(),
    workers=2,
    seed=1,
)


def objects_of(
    case: str,
    annotations: Mapping[str, str] | None = None,
    *,
    name: str = "recorded",
    generation: int = 1,
) -> ExperimentObjects:
    """Return a recorded case as if housectl had created its Experiment."""
    recorded = katib_case(case)
    metadata = msgspec.structs.replace(
        recorded.experiment.metadata,
        name=name,
        labels={FAMILY_LABEL: Family.RANDOM_FOREST.value, GENERATION_LABEL: str(generation)},
        annotations=dict(annotations or {}),
    )
    return ExperimentObjects(
        sub_experiments=(msgspec.structs.replace(recorded.experiment, metadata=metadata),),
        suggestions=(recorded.suggestion,) if recorded.suggestion else (),
        trials=tuple(owned(trial, name) for trial in recorded.trials),
        jobs=tuple(recorded.jobs),
        pods=tuple(recorded.pods),
        events=tuple(recorded.events),
    )


def owned(trial: KatibTrial, sub_experiment: str) -> KatibTrial:
    labels = {**trial.metadata.labels, EXPERIMENT_LABEL: sub_experiment}
    metadata = msgspec.structs.replace(trial.metadata, labels=labels)
    return msgspec.structs.replace(trial, metadata=metadata)


def merged(*parts: ExperimentObjects) -> ExperimentObjects:
    """Return the objects of several sub-experiments as those of one experiment."""
    return replace(
        parts[0],
        sub_experiments=tuple(item for part in parts for item in part.sub_experiments),
        trials=tuple(trial for part in parts for trial in part.trials),
    )


def snapshot(case: str, annotations: Mapping[str, str] | None = None) -> Snapshot:
    return snapshot_at(objects_of(case, annotations))


def snapshot_at(objects: ExperimentObjects, experiment: Experiment = EXPERIMENT) -> Snapshot:
    return experiment_snapshot(
        experiment,
        objects,
        trial_cause=lambda trial: f"cause of {trial.metadata.name}",
        search_cause=lambda _: "cause of the whole",
    )


def test_succeeded_search() -> None:
    result = snapshot("bayes12")
    assert result.state is ExperimentState.SUCCEEDED
    assert [trial.number for trial in result.trials] == list(range(12))
    assert {trial.state for trial in result.trials} == {TrialState.SUCCEEDED}
    assert all(trial.cause is None for trial in result.trials)
    assert (result.reason, result.warnings) == (None, ())
    assert result.started is not None
    assert result.finished is not None
    assert result.finished - result.started == 117


def test_assignments_have_types_and_fixed_values() -> None:
    for trial in snapshot("random4").trials:
        assert trial.assignment["z"] == 3
        assert isinstance(trial.assignment["x"], float)
        assert isinstance(trial.assignment["y"], int)


def test_trials_are_numbered_by_creation() -> None:
    created_at = {
        trial.metadata.name: str(trial.metadata.creation_timestamp)
        for trial in objects_of("bayes12").trials
    }
    times = [created_at[trial.name] for trial in snapshot("bayes12").trials]
    assert times == sorted(times)


@pytest.mark.parametrize("case", ["oom", "exit1", "wrongname", "quick"])
def test_search_fails_if_all_trials_failed(case: str) -> None:
    result = snapshot(case)
    assert objects_of(case).sub_experiments[0].status.conditions[-1].type in {"Succeeded", "Failed"}
    assert result.state is ExperimentState.FAILED
    assert {trial.state for trial in result.trials} == {TrialState.FAILED}
    assert result.trials[0].cause == f"cause of {result.trials[0].name}"
    assert result.reason == "cause of the whole"


def test_trial_without_objective_is_never_best() -> None:
    result = snapshot("nan")
    broken = [trial for trial in result.trials if trial.state is TrialState.FAILED]
    assert broken
    assert all(trial.mse is None for trial in broken)
    best = best_trial(result.trials)
    assert best is None or best.mse is not None


@pytest.mark.parametrize("case", ["noimage", "unschedulable", "nopvc"])
def test_stuck_trials_have_causes(case: str) -> None:
    result = snapshot(case)
    assert result.state is ExperimentState.RUNNING
    assert all(trial.cause == f"cause of {trial.name}" for trial in result.trials)
    assert result.finished is None


def test_search_without_trials_is_created() -> None:
    result = snapshot("algoabsent")
    assert result.state is ExperimentState.CREATED
    assert result.reason == "cause of the whole"


def test_search_fails_with_its_suggestion() -> None:
    result = snapshot("badsetting")
    assert (result.state, result.reason) == (ExperimentState.FAILED, "cause of the whole")


def test_stopped_search_is_stopped_until_resumed() -> None:
    stopped = objects_of("random4", {STOPPED_ANNOTATION: STOPPED_BY_USER})
    result = snapshot_at(stopped)
    assert (result.state, result.reason) == (ExperimentState.STOPPED, "Stopped on request.")
    result = snapshot_at(merged(stopped, objects_of("noimage", name="recorded-2", generation=2)))
    assert result.state is ExperimentState.RUNNING
    result = snapshot_at(merged(stopped, objects_of("bayes12", name="recorded-2", generation=2)))
    assert (result.state, result.reason) == (ExperimentState.SUCCEEDED, None)
    assert len(result.trials) == 16


@pytest.mark.parametrize("reason", [STOPPED_BY_USER, STOPPED_BY_TIME_LIMIT])
def test_search_runs_until_all_trials_of_a_stopped_search_have_ended(reason: str) -> None:
    result = snapshot("noimage", {STOPPED_ANNOTATION: reason})
    assert result.state is ExperimentState.RUNNING
    assert result.reason == (
        "Its stop is not complete: Katib still runs recorded. Hint: housectl stop recorded"
    )
    assert [trial.state for trial in result.trials] == [TrialState.RUNNING]


def test_stopped_search_that_katib_leaves_open_causes_a_warning() -> None:
    result = snapshot("nan", {STOPPED_ANNOTATION: STOPPED_BY_USER})
    assert result.state is ExperimentState.STOPPED
    assert result.warnings[0] == (
        "Katib did not end recorded, because its algorithm suggests no trial that could fail. The "
        "algorithm's service runs until: housectl delete recorded"
    )


def test_stopped_search_without_remaining_budget_has_succeeded() -> None:
    result = snapshot("bayes12", {STOPPED_ANNOTATION: STOPPED_BY_USER})
    assert (result.state, result.reason) == (ExperimentState.SUCCEEDED, None)


def test_interrupted_search_names_missing_sub_experiments() -> None:
    budget = Budget(trials=24)
    auto = replace(EXPERIMENT, spaces=dict.fromkeys(Family, SPACE), budget=budget)
    result = snapshot_at(objects_of("bayes12", name="recorded-rf"), auto)
    assert result.state is ExperimentState.INTERRUPTED
    assert result.reason == (
        "The command was killed before it created recorded-linear and recorded-xgb. Resume with: "
        "housectl tune --resume recorded"
    )
    running = objects_of("noimage", name="recorded-rf")
    assert snapshot_at(running, auto).state is ExperimentState.RUNNING


@pytest.mark.parametrize("case", ["random4", "exit1_maxfailed"])
def test_stop_that_katib_reports_as_failure_is_no_failure(case: str) -> None:
    objects = objects_of("random4", {STOPPED_ANNOTATION: STOPPED_BY_TIME_LIMIT})
    (sub_experiment,) = objects.sub_experiments
    (recorded,) = objects_of(case).sub_experiments
    sub_experiment = msgspec.structs.replace(sub_experiment, status=recorded.status)
    assert (
        snapshot_at(replace(objects, sub_experiments=(sub_experiment,))).state
        is ExperimentState.SUCCEEDED
    )


def test_time_limit_reason_has_the_number_of_trials() -> None:
    result = snapshot("random4", {STOPPED_ANNOTATION: STOPPED_BY_TIME_LIMIT})
    assert result.state is ExperimentState.SUCCEEDED
    assert result.reason == "Time limit reached after 4 of 12 trials."


def test_wrong_optimum_of_katib_causes_a_warning() -> None:
    objects = objects_of("bayes12")
    best = best_trial(snapshot("bayes12").trials)
    assert best is not None
    other = next(each.metadata.name for each in objects.trials if each.metadata.name != best.name)
    (sub_experiment,) = objects.sub_experiments
    optimal = msgspec.structs.replace(
        sub_experiment.status.current_optimal_trial, best_trial_name=other
    )
    status = msgspec.structs.replace(sub_experiment.status, current_optimal_trial=optimal)
    result = experiment_snapshot(
        EXPERIMENT,
        replace(objects, sub_experiments=(msgspec.structs.replace(sub_experiment, status=status),)),
        trial_cause=lambda _: None,
        search_cause=lambda _: None,
    )
    (warning,) = result.warnings
    assert warning == (
        f"Katib reports {other} as the best trial of recorded, but {best.name} has the lowest mse. "
        f"housectl uses {best.name}."
    )
