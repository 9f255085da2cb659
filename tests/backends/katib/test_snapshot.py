"""What a real Katib recorded, as snapshots."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest

from housectl.backends.base import Snapshot
from housectl.backends.katib.katib_objects import KatibTrial
from housectl.backends.katib.naming import (
    EXPERIMENT_LABEL,
    FAMILY_LABEL,
    GENERATION_LABEL,
    STOPPED_ANNOTATION,
)
from housectl.backends.katib.state.cluster_objects import ExperimentObjects
from housectl.backends.katib.state.snapshot import snapshot_of
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


def look_of(
    case: str,
    annotations: Mapping[str, str] | None = None,
    *,
    name: str = "recorded",
    round_number: int = 1,
) -> ExperimentObjects:
    """Return a recorded case as if its Experiment were ours."""
    told = katib_case(case)
    metadata = msgspec.structs.replace(
        told.experiment.metadata,
        name=name,
        labels={FAMILY_LABEL: Family.RANDOM_FOREST.value, GENERATION_LABEL: str(round_number)},
        annotations=dict(annotations or {}),
    )
    return ExperimentObjects(
        sub_experiments=(msgspec.structs.replace(told.experiment, metadata=metadata),),
        suggestions=(told.suggestion,) if told.suggestion else (),
        trials=tuple(owned(trial, name) for trial in told.trials),
        jobs=tuple(told.jobs),
        pods=tuple(told.pods),
        events=tuple(told.events),
    )


def owned(trial: KatibTrial, member: str) -> KatibTrial:
    labels = {**trial.metadata.labels, EXPERIMENT_LABEL: member}
    metadata = msgspec.structs.replace(trial.metadata, labels=labels)
    return msgspec.structs.replace(trial, metadata=metadata)


def together(*looks: ExperimentObjects) -> ExperimentObjects:
    """Return one look at the members of several, each trial once."""
    return replace(
        looks[0],
        sub_experiments=tuple(member for look in looks for member in look.sub_experiments),
        trials=tuple(trial for look in looks for trial in look.trials),
    )


def snapshot(case: str, annotations: Mapping[str, str] | None = None) -> Snapshot:
    return snapshot_at(look_of(case, annotations))


def snapshot_at(look: ExperimentObjects, experiment: Experiment = EXPERIMENT) -> Snapshot:
    return snapshot_of(
        experiment,
        look,
        trial_cause=lambda trial: f"cause of {trial.metadata.name}",
        member_cause=lambda _: "cause of the whole",
    )


def test_a_search_that_went_well() -> None:
    seen = snapshot("bayes12")
    assert seen.state is ExperimentState.SUCCEEDED
    assert [trial.number for trial in seen.trials] == list(range(12))
    assert {trial.state for trial in seen.trials} == {TrialState.SUCCEEDED}
    assert all(trial.cause is None for trial in seen.trials)
    assert (seen.reason, seen.warnings) == (None, ())
    assert seen.started is not None
    assert seen.finished is not None
    assert seen.finished - seen.started == 117


def test_assignments_have_their_types_and_what_is_fixed() -> None:
    for trial in snapshot("random4").trials:
        assert trial.assignment["z"] == 3
        assert isinstance(trial.assignment["x"], float)
        assert isinstance(trial.assignment["y"], int)


def test_trials_are_numbered_in_the_order_in_which_they_were_made() -> None:
    made = {
        trial.metadata.name: str(trial.metadata.creation_timestamp)
        for trial in look_of("bayes12").trials
    }
    times = [made[trial.name] for trial in snapshot("bayes12").trials]
    assert times == sorted(times)


@pytest.mark.parametrize("case", ["oom", "exit1", "wrongname", "quick"])
def test_a_search_whose_trials_all_failed_has_failed_whatever_katib_says(case: str) -> None:
    seen = snapshot(case)
    assert look_of(case).sub_experiments[0].status.conditions[-1].type in {"Succeeded", "Failed"}
    assert seen.state is ExperimentState.FAILED
    assert {trial.state for trial in seen.trials} == {TrialState.FAILED}
    assert seen.trials[0].cause == f"cause of {seen.trials[0].name}"
    assert seen.reason == "cause of the whole"


def test_a_trial_without_a_number_is_never_the_best() -> None:
    seen = snapshot("nan")
    broken = [trial for trial in seen.trials if trial.state is TrialState.FAILED]
    assert broken
    assert all(trial.mse is None for trial in broken)
    best = best_trial(seen.trials)
    assert best is None or best.mse is not None


@pytest.mark.parametrize("case", ["noimage", "unschedulable", "nopvc"])
def test_what_is_stuck_says_why(case: str) -> None:
    seen = snapshot(case)
    assert seen.state is ExperimentState.RUNNING
    assert all(trial.cause == f"cause of {trial.name}" for trial in seen.trials)
    assert seen.finished is None


def test_a_search_without_trials_is_only_created() -> None:
    seen = snapshot("algoabsent")
    assert seen.state is ExperimentState.CREATED
    assert seen.reason == "cause of the whole"


def test_a_search_that_its_suggestion_ended_has_failed() -> None:
    seen = snapshot("badsetting")
    assert (seen.state, seen.reason) == (ExperimentState.FAILED, "cause of the whole")


def test_a_stopped_search_says_so_until_it_goes_on() -> None:
    stopped = look_of("random4", {STOPPED_ANNOTATION: STOPPED_BY_USER})
    seen = snapshot_at(stopped)
    assert (seen.state, seen.reason) == (ExperimentState.STOPPED, "Stopped on request.")
    seen = snapshot_at(together(stopped, look_of("noimage", name="recorded-2", round_number=2)))
    assert seen.state is ExperimentState.RUNNING
    seen = snapshot_at(together(stopped, look_of("bayes12", name="recorded-2", round_number=2)))
    assert (seen.state, seen.reason) == (ExperimentState.SUCCEEDED, None)
    assert len(seen.trials) == 16


def test_a_stopped_search_with_nothing_left_of_its_budget_has_succeeded() -> None:
    seen = snapshot("bayes12", {STOPPED_ANNOTATION: STOPPED_BY_USER})
    assert (seen.state, seen.reason) == (ExperimentState.SUCCEEDED, None)


def test_what_a_killed_command_did_not_make_is_named() -> None:
    budget = Budget(trials=24)
    both = replace(EXPERIMENT, spaces=dict.fromkeys(Family, SPACE), budget=budget)
    seen = snapshot_at(look_of("bayes12", name="recorded-rf"), both)
    assert seen.state is ExperimentState.INTERRUPTED
    assert seen.reason == (
        "recorded-xgb was never made: the command was killed. To go on: housectl tune --resume "
        "recorded"
    )
    running = look_of("noimage", name="recorded-rf")
    assert snapshot_at(running, both).state is ExperimentState.RUNNING


@pytest.mark.parametrize("case", ["random4", "exit1_maxfailed"])
def test_a_stop_that_katib_calls_a_failure_is_none(case: str) -> None:
    look = look_of("random4", {STOPPED_ANNOTATION: STOPPED_BY_TIME_LIMIT})
    (member,) = look.sub_experiments
    (ended,) = look_of(case).sub_experiments
    told = msgspec.structs.replace(member, status=ended.status)
    assert snapshot_at(replace(look, sub_experiments=(told,))).state is ExperimentState.SUCCEEDED


def test_a_search_whose_time_was_up_says_how_far_it_came() -> None:
    seen = snapshot("random4", {STOPPED_ANNOTATION: STOPPED_BY_TIME_LIMIT})
    assert seen.state is ExperimentState.SUCCEEDED
    assert seen.reason == "Time limit reached after 4 of 12 trials."


def test_katibs_own_optimum_is_doubted_aloud() -> None:
    look = look_of("bayes12")
    best = best_trial(snapshot("bayes12").trials)
    assert best is not None
    other = next(each.metadata.name for each in look.trials if each.metadata.name != best.name)
    (member,) = look.sub_experiments
    optimal = msgspec.structs.replace(member.status.current_optimal_trial, best_trial_name=other)
    status = msgspec.structs.replace(member.status, current_optimal_trial=optimal)
    doubted = snapshot_of(
        EXPERIMENT,
        replace(look, sub_experiments=(msgspec.structs.replace(member, status=status),)),
        trial_cause=lambda _: None,
        member_cause=lambda _: None,
    )
    (warning,) = doubted.warnings
    assert warning == (
        f"Katib takes {other} for the best trial of recorded; {best.name} has the lowest mse, "
        "and is used."
    )
