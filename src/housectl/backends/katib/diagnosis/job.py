"""Why the job of a trial or a task is stuck or has failed."""

from collections.abc import Callable, Sequence
from datetime import datetime

from housectl.backends.katib.diagnosis.cause import Cause, first_cause, sentence
from housectl.backends.katib.diagnosis.container import container_not_started_from_events
from housectl.backends.katib.diagnosis.disruption import deleted_from_events
from housectl.backends.katib.diagnosis.job_run import JobRun, pods_of
from housectl.backends.katib.diagnosis.pod import FORMER_START_PROBES, POD_PROBES
from housectl.backends.katib.diagnosis.pod_context import PodContext
from housectl.backends.katib.diagnosis.pod_creation import pod_creation_blocked
from housectl.backends.katib.diagnosis.termination import (
    exited,
    init_container_failed,
    not_started,
    out_of_memory,
    out_of_time,
    timed_out,
    unusable_inputs,
)
from housectl.kube.kubectl import KubectlTarget
from housectl.kube.objects.events import Event
from housectl.kube.objects.jobs import Job
from housectl.kube.objects.pods import Pod


def deadline_exceeded(attempt: JobRun) -> Cause | None:
    """Return the cause if Kubernetes ended the job for the time that it took."""
    job = attempt.job
    if job is None or not job.is_past_deadline:
        return None
    seen, deadline = attempt.pod or attempt.deleted_pod, job.spec.active_deadline_seconds
    early = f"timed out after {deadline} s, before its pod was up"
    if (
        cause := _start_blocker(seen)
        if seen
        else pod_creation_blocked(attempt.target, attempt.job_events)
    ):
        return Cause(message=f"{early}: {cause.message}", hint=cause.hint)
    # Only what runs is killed: then the events about its start have been forgotten.
    if (
        seen
        and not seen.started_containers
        and not seen.latest_event("Killing")
        and (last := seen.latest_event())
    ):
        return Cause(message=sentence(early, last.message), hint=_look_back(attempt, seen))
    return _started_too_late(attempt, seen, deadline) or out_of_time(deadline)


def _started_too_late(
    attempt: JobRun, seen: PodContext | None, deadline: int | None
) -> Cause | None:
    """Return the cause if the trainer would have ended itself, had it started in time."""
    if deadline is None or attempt.trainer_deadline is None or deadline <= attempt.trainer_deadline:
        return None
    return Cause(
        message=f"its pod came up too late: it had not started within {deadline - attempt.trainer_deadline:g} s, "
        f"and had to end by its job's deadline of {deadline} s.",
        hint=_look_back(attempt, seen),
    )


def _look_back(attempt: JobRun, seen: PodContext | None) -> str:
    """Return the hint where it is not known what a pod waited for."""
    look = (
        seen.describe_command
        if seen
        else attempt.target.kubectl("get events --sort-by=.lastTimestamp")
    )
    return f"{look}   # shows what it waited for; then housectl tune again"


def _start_blocker(seen: PodContext) -> Cause | None:
    """Return what kept a pod from starting, if it was more than time."""
    return (
        container_not_started_from_events(seen)
        if seen.started_containers
        else first_cause(FORMER_START_PROBES, seen)
    )


def task_cause(
    job: Job,
    pods: Sequence[Pod],
    events: Sequence[Event],
    *,
    namespace: str,
    trainer_lines: Sequence[str],
    now: datetime,
    context: str | None = None,
) -> Cause | None:
    """Return why a task is stuck or has failed.

    Args:
        job: The task's.
        pods: Of the namespace; those of other jobs are left out.
        events: Of the namespace.
        namespace: Where the job is.
        lines: What the trainer printed, if it is known.
        now: When this was observed.
        context: The kubeconfig's, for the commands of the hints.
    """
    name = job.metadata.name
    return first_cause(
        JOB_PROBES,
        JobRun(
            target=KubectlTarget(namespace=namespace, context=context),
            name=name,
            job=job,
            pods=pods_of(name, pods),
            events=events,
            now=now,
            primary_container="",
            trainer_lines=trainer_lines,
            logs_command=f"housectl logs {name}",
        ),
    )


def _pod(attempt: JobRun) -> Cause | None:
    return first_cause(POD_PROBES, attempt.pod) if attempt.pod else None


def _no_pod(attempt: JobRun) -> Cause | None:
    """Return why there is no pod: the cluster refuses to make one."""
    job = attempt.job
    if attempt.pods or job is None or job.status.active or job.is_decided:
        return None
    return pod_creation_blocked(attempt.target, attempt.job_events)


def _pod_gone(attempt: JobRun) -> Cause | None:
    """Return why a job that has failed has no pod that could tell the reason."""
    if attempt.pods or attempt.job is None or not attempt.job.has_failed:
        return None
    cause = deleted_from_events(attempt.deleted_pod) if attempt.deleted_pod else None
    return cause or Cause(
        message="its pod is not there: it was deleted, or lost with its node.",
        hint=attempt.target.kubectl("get events --sort-by=.lastTimestamp"),
    )


# The deadline comes first, because Kubernetes deletes the pod with it; then what was done to the
# pod from outside, because its containers show only that they were killed.
JOB_PROBES: Sequence[Callable[[JobRun], Cause | None]] = (
    deadline_exceeded,
    _no_pod,
    _pod,
    init_container_failed,
    not_started,
    out_of_memory,
    timed_out,
    unusable_inputs,
    exited,
    _pod_gone,
)
