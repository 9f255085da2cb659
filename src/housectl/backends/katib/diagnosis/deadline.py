"""Why a job was not done at its deadline: it took too long, or its pod was not up by then.

Kubernetes deletes the pod then, so that the events about it are all that is left.
"""

from housectl.backends.katib.diagnosis.cause import Cause, first_cause, sentence
from housectl.backends.katib.diagnosis.container import container_not_started_from_events
from housectl.backends.katib.diagnosis.job_run import JobRun
from housectl.backends.katib.diagnosis.pod import PodContext
from housectl.backends.katib.diagnosis.pod_creation import pod_creation_blocked
from housectl.backends.katib.diagnosis.probe_lists import FORMER_START_PROBES
from housectl.backends.katib.diagnosis.termination import out_of_time


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
    if deadline is None or attempt.limit is None or deadline <= attempt.limit:
        return None
    return Cause(
        message=f"its pod came up too late: it had not started within {deadline - attempt.limit:g} s, "
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
