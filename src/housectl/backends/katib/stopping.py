"""Ending a search before its end, and going on with it: Katib itself can do neither."""

import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

from housectl.backends.base import Snapshot, Work
from housectl.backends.katib.layout import (
    CONTINUED_ANNOTATION,
    EXPERIMENT_LABEL,
    STOPPED_ANNOTATION,
)
from housectl.backends.katib.look import ExperimentLook
from housectl.backends.katib.manifest import experiment_manifest
from housectl.backends.katib.plan import remaining
from housectl.backends.katib.records import PlanRecord
from housectl.backends.katib.snapshot import family_of, is_over
from housectl.backends.kube.client import Kube
from housectl.backends.kube.kinds import EXPERIMENTS, JOBS, TRIALS
from housectl.diagnosis.objects import KatibExperiment, KatibTrial, find
from housectl.diagnosis.observed import has_ended
from housectl.errors import AbsentError, ClusterError, DeniedError
from housectl.experiment import Experiment

_PATIENCE_SECONDS = 60.0
_PAUSE = 0.3


def stop(kube: Kube, look: ExperimentLook, why: str) -> None:
    """End all members that are not over, and what still runs of the others; ended trials stay.

    A member without any trial is deleted.

    Raises:
        ClusterError: Katib's controller does not react.
    """
    for member in look.members:
        trials = look.trials_of(member)
        if is_over(member):
            _delete(kube, (trial for trial in trials if not has_ended(trial)))
        else:
            _stop_member(kube, member, trials, why)


def go_on(kube: Kube, record: PlanRecord, experiment: Experiment, look: ExperimentLook) -> None:
    """Create members with what is left of the budget of a search that was stopped."""
    families = {member.metadata.name: family_of(member) for member in look.members}
    ended = Counter(
        families[trial.metadata.labels[EXPERIMENT_LABEL]]
        for trial in look.trials
        if has_ended(trial)
    )
    attempt = 1 + max(Counter(families.values()).values())
    for member in remaining(experiment, ended, attempt=attempt):
        kube.create(experiment_manifest(record, experiment, member))
    for former in look.members:
        if STOPPED_ANNOTATION in former.metadata.annotations:
            annotations = {CONTINUED_ANNOTATION: str(attempt)}
            change = {"metadata": {"annotations": annotations}}
            kube.patch(EXPERIMENTS, former.metadata.name, change)


def seconds_left(work: Work, snapshot: Snapshot) -> float | None:
    """Return how many seconds a search still has; None where nothing limits them."""
    seconds = work.budget.seconds if isinstance(work, Experiment) else None
    if seconds is None or snapshot.started is None or snapshot.state.ended:
        return None
    return snapshot.started + seconds - time.time()


def _stop_member(kube: Kube, member: KatibExperiment, trials: list[KatibTrial], why: str) -> None:
    name = member.metadata.name
    if not trials:
        kube.delete(EXPERIMENTS, name)
        return
    doomed = {trial.metadata.name for trial in trials if not has_ended(trial)}
    # Katib ends the search as soon as so many trials have ended.
    enough = max(len(trials) - len(doomed), 1)
    failures = min(member.spec.max_failed_trial_count or enough, enough)
    change = {"maxTrialCount": enough, "parallelTrialCount": 1, "maxFailedTrialCount": failures}
    annotations = {"metadata": {"annotations": {STOPPED_ANNOTATION: why}}}
    try:
        kube.patch(EXPERIMENTS, name, {**annotations, "spec": change})
    except DeniedError:
        # Katib lets nobody change an experiment that has just ended by itself.
        if is_over(kube.get(EXPERIMENTS, name, KatibExperiment)):
            return
        raise
    _wait_until_over(kube, name, failing=doomed if len(doomed) == len(trials) else ())
    now = kube.views(TRIALS, KatibTrial, labels=f"{EXPERIMENT_LABEL}={name}")
    _delete(
        kube,
        (
            trial
            for trial in now
            if trial.metadata.name in doomed and not find(trial.status.conditions, "Succeeded")
        ),
    )


def _delete(kube: Kube, trials: Iterable[KatibTrial]) -> None:
    for trial in trials:
        kube.delete(TRIALS, trial.metadata.name)


def _fail(kube: Kube, trials: Iterable[str]) -> None:
    """Let trials fail, also those without a pod; one that has no job yet will have one."""
    for trial in trials:
        with suppress(AbsentError):
            kube.patch(JOBS, trial, {"spec": {"activeDeadlineSeconds": 1}})


def _wait_until_over(kube: Kube, member: str, *, failing: Iterable[str]) -> None:
    """Wait until Katib has ended a member; where no trial has ended, one has to fail for that."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_over(kube.get(EXPERIMENTS, member, KatibExperiment)):
        if time.monotonic() > deadline:
            raise ClusterError(
                f"Katib's controller has not ended {member} in {_PATIENCE_SECONDS:.0f} s.",
                hint="housectl doctor   # says whether Katib's controller runs",
            )
        _fail(kube, failing)
        time.sleep(_PAUSE)
