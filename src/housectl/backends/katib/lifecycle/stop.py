"""Ending a search before its end, which Katib itself cannot."""

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

from housectl.backends.base import Snapshot, Task, Workload
from housectl.backends.katib.katib_objects import EXPERIMENTS, TRIALS, KatibExperiment, KatibTrial
from housectl.backends.katib.lifecycle.poll import wait_until
from housectl.backends.katib.naming import (
    EXPERIMENT_LABEL,
    INSTANCE_LABEL,
    STOPPED_ANNOTATION,
    TRIAL,
    labels,
    selector,
)
from housectl.backends.katib.state.cluster_objects import ExperimentObjects
from housectl.backends.katib.stop_marks import STOP_DEADLINE_SECONDS, stop_reason, was_stopped
from housectl.errors import NotFoundError, RejectedError
from housectl.kube.client import Kube
from housectl.kube.kinds import JOBS
from housectl.kube.objects.jobs import Job

# A pod has half a minute to end, and an algorithm may think for as long.
_PATIENCE_SECONDS = 90.0
_QUIET_SECONDS = 30.0


def stop(kube: Kube, look: ExperimentObjects, why: str) -> None:
    """End all members and what still runs of them; trials that have ended by themselves stay.

    A member without any trial is deleted.

    Raises:
        ClusterError: Katib's controller does not react.
    """
    staying = [
        member for member in look.sub_experiments if member.has_ended or look.trials_of(member)
    ]
    if not all(member.has_ended for member in look.sub_experiments):
        for member in staying:
            _annotate_stopped(kube, member, why)
    for member in look.sub_experiments:
        if member in staying:
            _wait_until_ended(kube, member.metadata.name)
            _delete_interrupted_trials(kube, member)
        else:
            _delete_experiment(kube, member.metadata.name)


def seconds_left(work: Workload, snapshot: Snapshot) -> float | None:
    """Return how many seconds a search still has; None where nothing limits them."""
    if isinstance(work, Task) or snapshot.state.ended:
        return None
    return work.budget.remaining_seconds(snapshot.trials, now=time.time())


def _annotate_stopped(kube: Kube, member: KatibExperiment, why: str) -> None:
    if stop_reason(member) is None:
        change = {"metadata": {"annotations": {STOPPED_ANNOTATION: why}}}
        kube.patch(EXPERIMENTS, member.metadata.name, change)


def _wait_until_ended(kube: Kube, member: str) -> None:
    """Let Katib end a member: for its failed trials, or as it has all that it still may have.

    One whose algorithm gives no trial any more cannot fail: Katib leaves it open.
    """
    last_active = time.monotonic()

    def is_done() -> bool:
        nonlocal last_active
        seen = kube.get(EXPERIMENTS, member, KatibExperiment)
        if seen.has_ended:
            return True
        trials = _trials(kube, member)
        active = [trial for trial in trials if not trial.has_ended]
        _cap_trials(kube, seen, failed=sum(trial.has_failed for trial in trials))
        _expire_jobs(kube, active)
        now = time.monotonic()
        last_active = now if active else last_active
        return now - last_active > _QUIET_SECONDS

    complaint = f"Katib's controller has not ended {member} in {_PATIENCE_SECONDS:.0f} s."
    wait_until(is_done, seconds=_PATIENCE_SECONDS, timeout_message=complaint)


def _cap_trials(kube: Kube, member: KatibExperiment, *, failed: int) -> None:
    """Let a member have as few further trials as Katib allows, and no further failure."""
    spec, trials = member.spec, member.status.trials
    # Katib refuses a number of trials that leaves no room for another one, or for all at once.
    fewest = max(trials + 1, spec.parallel_trial_count)
    limits = fewest, max(failed, 1)
    if spec.max_trial_count <= trials or limits == (
        spec.max_trial_count,
        spec.max_failed_trial_count,
    ):
        return
    change = {"maxTrialCount": limits[0], "maxFailedTrialCount": limits[1]}
    try:
        kube.patch(EXPERIMENTS, member.metadata.name, {"spec": change})
    except RejectedError:
        # It also refuses to change one that has just ended, or begun another trial.
        now = kube.get(EXPERIMENTS, member.metadata.name, KatibExperiment)
        if not now.has_ended and now.status.trials == trials:
            raise


def _expire_jobs(kube: Kube, trials: Iterable[KatibTrial]) -> None:
    """Let trials fail, also those without a pod; one that has no job yet will have one."""
    change = {"spec": {"activeDeadlineSeconds": STOP_DEADLINE_SECONDS}}
    for trial in trials:
        with suppress(NotFoundError):
            kube.patch(JOBS, trial.metadata.name, change)


def _delete_interrupted_trials(kube: Kube, member: KatibExperiment) -> None:
    """Delete the trials that have not ended, and those that failed for being stopped."""
    of_search = selector(labels(member.metadata.labels[INSTANCE_LABEL], TRIAL))
    jobs = kube.list_as(JOBS, Job, labels=of_search)
    stopped = {job.metadata.name for job in jobs if was_stopped(job)}
    for trial in _trials(kube, member.metadata.name):
        was_stopped = trial.metadata.name in stopped and not trial.has_succeeded
        if was_stopped or not trial.has_ended:
            kube.delete(TRIALS, trial.metadata.name)


def _delete_experiment(kube: Kube, member: str) -> None:
    kube.delete(EXPERIMENTS, member)

    def is_gone() -> bool:
        with suppress(NotFoundError):
            kube.get(EXPERIMENTS, member, KatibExperiment)
            return False
        return True

    complaint = f"Katib's controller has not let go of {member} in {_PATIENCE_SECONDS:.0f} s."
    wait_until(is_gone, seconds=_PATIENCE_SECONDS, timeout_message=complaint)


def _trials(kube: Kube, member: str) -> Sequence[KatibTrial]:
    return kube.list_as(TRIALS, KatibTrial, labels=f"{EXPERIMENT_LABEL}={member}")
