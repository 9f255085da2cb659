"""Ending a search before its end, which Katib itself cannot."""

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

from housectl.backends.base import Snapshot, Task, Work
from housectl.backends.katib.layout import EXPERIMENT_LABEL, STOPPED_ANNOTATION
from housectl.backends.katib.look import ExperimentLook
from housectl.backends.katib.waiting import wait_until
from housectl.backends.kube.client import Kube
from housectl.backends.kube.kinds import EXPERIMENTS, JOBS, TRIALS
from housectl.diagnosis.objects import STOPPING_SECONDS, KatibExperiment, KatibTrial
from housectl.errors import AbsentError, DeniedError

_PATIENCE_SECONDS = 30.0


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


def seconds_left(work: Work, snapshot: Snapshot) -> float | None:
    """Return how many seconds a search still has; None where nothing limits them."""
    if isinstance(work, Task) or snapshot.state.ended:
        return None
    return work.budget.seconds_left(snapshot.trials, now=time.time())


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
    """Wait until Katib has ended a member, letting all fail that runs of it."""

    def has_ended() -> bool:
        if kube.get(EXPERIMENTS, member, KatibExperiment).has_ended:
            return True
        _fail(kube, _active(kube, member))
        return False

    def complaint() -> str | None:
        # One whose algorithm gives no trial any more cannot fail: Katib leaves it open.
        return _not_ended(member) if _active(kube, member) else None

    wait_until(has_ended, seconds=_PATIENCE_SECONDS, otherwise=complaint)


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

    def is_gone() -> bool:
        with suppress(AbsentError):
            kube.get(EXPERIMENTS, name, KatibExperiment)
            return False
        return True

    wait_until(is_gone, seconds=_PATIENCE_SECONDS, otherwise=lambda: _not_ended(name))


def _trials(kube: Kube, member: str) -> Sequence[KatibTrial]:
    return kube.views(TRIALS, KatibTrial, labels=f"{EXPERIMENT_LABEL}={member}")


def _active(kube: Kube, member: str) -> Sequence[KatibTrial]:
    return [trial for trial in _trials(kube, member) if not trial.has_ended]


def _delete(kube: Kube, trials: Iterable[KatibTrial]) -> None:
    for trial in trials:
        kube.delete(TRIALS, trial.metadata.name)


def _not_ended(member: str) -> str:
    return f"Katib's controller has not ended {member} in {_PATIENCE_SECONDS:.0f} s."
