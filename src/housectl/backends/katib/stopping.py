"""Ending a search before its end, and going on with it: Katib itself can do neither."""

import time
from collections.abc import Iterable
from contextlib import suppress

from housectl.backends.base import Snapshot, Work
from housectl.backends.katib.creation import create_missing
from housectl.backends.katib.layout import EXPERIMENT_LABEL, STOPPED_ANNOTATION
from housectl.backends.katib.look import ExperimentLook
from housectl.backends.katib.manifest import experiment_manifest
from housectl.backends.katib.records import PlanRecord
from housectl.backends.katib.rounds import missing_members
from housectl.backends.kube.client import Kube
from housectl.backends.kube.kinds import EXPERIMENTS, JOBS, TRIALS
from housectl.diagnosis.objects import STOPPING_SECONDS, KatibExperiment, KatibTrial
from housectl.errors import AbsentError, ClusterError, DeniedError
from housectl.experiment import Experiment, seconds_used

_PATIENCE_SECONDS = 30.0
_PAUSE = 0.3


def stop(kube: Kube, look: ExperimentLook, why: str) -> None:
    """End all members that have not ended, and what still runs of the others; ended trials stay.

    A member without any trial is deleted.

    Raises:
        ClusterError: Katib's controller does not react.
    """
    for member in look.members:
        trials = look.trials_of(member)
        if member.has_ended:
            _delete(kube, (trial for trial in trials if not trial.has_ended))
        elif trials:
            _stop_member(kube, member, trials, why)
        else:
            _forget_member(kube, member)


def go_on(
    kube: Kube,
    record: PlanRecord,
    experiment: Experiment,
    look: ExperimentLook,
    *,
    round_number: int,
) -> None:
    """Create the members of a round that are not there, with what is left of the budget.

    Raises:
        NameTakenError: Something else has one of their names.
    """
    for member in missing_members(experiment, look, round_number=round_number):
        create_missing(kube, experiment_manifest(record, experiment, member))


def seconds_left(work: Work, snapshot: Snapshot) -> float | None:
    """Return how many seconds a search still has; None where nothing limits them."""
    seconds = work.budget.seconds if isinstance(work, Experiment) else None
    if seconds is None or snapshot.state.ended:
        return None
    return seconds - seconds_used(snapshot.trials, now=time.time())


def _stop_member(kube: Kube, member: KatibExperiment, trials: list[KatibTrial], why: str) -> None:
    """Let Katib end a member for its failed trials: it takes no lower number of trials."""
    name, spec = member.metadata.name, member.spec
    ended = {trial.metadata.name for trial in trials if trial.has_ended}
    failed = sum(trial.has_failed for trial in trials)
    change = {
        # Katib refuses each change that leaves no room for another trial.
        "maxTrialCount": (spec.max_trial_count or len(trials)) + 1,
        "maxFailedTrialCount": max(failed, 1),
    }
    annotations = {"annotations": {STOPPED_ANNOTATION: why}}
    try:
        kube.patch(EXPERIMENTS, name, {"metadata": annotations, "spec": change})
    except DeniedError:
        # Katib lets nobody change an experiment that has just ended by itself.
        if kube.get(EXPERIMENTS, name, KatibExperiment).has_ended:
            return
        raise
    _wait_until_ended(kube, name)
    left = (trial for trial in _trials(kube, name) if trial.metadata.name not in ended)
    _delete(kube, (trial for trial in left if not trial.has_succeeded))


def _wait_until_ended(kube: Kube, member: str) -> None:
    """Wait until Katib has ended a member, letting all fail that runs of it.

    One whose algorithm gives no trial any more cannot fail: Katib leaves it open.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not kube.get(EXPERIMENTS, member, KatibExperiment).has_ended:
        active = [trial for trial in _trials(kube, member) if not trial.has_ended]
        if time.monotonic() > deadline:
            if not active:
                return
            raise _not_ended(member)
        _fail(kube, active)
        time.sleep(_PAUSE)


def _fail(kube: Kube, trials: Iterable[KatibTrial]) -> None:
    """Let trials fail, also those without a pod; one that has no job yet will have one."""
    for trial in trials:
        with suppress(AbsentError):
            kube.patch(
                JOBS, trial.metadata.name, {"spec": {"activeDeadlineSeconds": STOPPING_SECONDS}}
            )


def _forget_member(kube: Kube, member: KatibExperiment) -> None:
    name = member.metadata.name
    kube.delete(EXPERIMENTS, name)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with suppress(AbsentError):
        while kube.get(EXPERIMENTS, name, KatibExperiment):
            if time.monotonic() > deadline:
                raise _not_ended(name)
            time.sleep(_PAUSE)


def _trials(kube: Kube, member: str) -> Iterable[KatibTrial]:
    return kube.views(TRIALS, KatibTrial, labels=f"{EXPERIMENT_LABEL}={member}")


def _delete(kube: Kube, trials: Iterable[KatibTrial]) -> None:
    for trial in trials:
        kube.delete(TRIALS, trial.metadata.name)


def _not_ended(member: str) -> ClusterError:
    return ClusterError(
        f"Katib's controller has not ended {member} in {_PATIENCE_SECONDS:.0f} s.",
        hint="housectl doctor   # says whether Katib's controller runs",
    )
