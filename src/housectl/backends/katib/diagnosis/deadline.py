"""Why a job was not done at its deadline: it took too long, or its pod was not up by then.

Kubernetes deletes the pod then, so that the events about it are all that is left.
"""

from housectl.backends.katib.diagnosis.cause import Cause, first_cause, sentence
from housectl.backends.katib.diagnosis.container import was_unstarted
from housectl.backends.katib.diagnosis.job_run import Attempt
from housectl.backends.katib.diagnosis.pod import SeenPod
from housectl.backends.katib.diagnosis.pod_creation import refused
from housectl.backends.katib.diagnosis.probe_lists import FORMER_START_PROBES
from housectl.backends.katib.diagnosis.termination import out_of_time


def past_deadline(attempt: Attempt) -> Cause | None:
    """Return the cause if Kubernetes ended the job for the time that it took."""
    job = attempt.job
    if job is None or not job.is_past_deadline:
        return None
    seen, deadline = attempt.seen or attempt.former, job.spec.active_deadline_seconds
    early = f"timed out after {deadline} s, before its pod was up"
    if cause := _not_up(seen) if seen else refused(attempt.place, attempt.told):
        return Cause(what=f"{early}: {cause.what}", cure=cause.cure)
    # Only what runs is killed: then the events about its start have been forgotten.
    if seen and not seen.begun and not seen.told("Killing") and (last := seen.told()):
        return Cause(what=sentence(early, last.message), cure=_look_back(attempt, seen))
    return _came_late(attempt, seen, deadline) or out_of_time(deadline)


def _came_late(attempt: Attempt, seen: SeenPod | None, deadline: int | None) -> Cause | None:
    """Return the cause if the trainer would have ended itself, had it started in time."""
    if deadline is None or attempt.limit is None or deadline <= attempt.limit:
        return None
    return Cause(
        what=f"its pod came up too late: it had not started within {deadline - attempt.limit:g} s, "
        f"and had to end by its job's deadline of {deadline} s.",
        cure=_look_back(attempt, seen),
    )


def _look_back(attempt: Attempt, seen: SeenPod | None) -> str:
    """Return the cure where it is not known what a pod waited for."""
    look = seen.describe if seen else attempt.place.kubectl("get events --sort-by=.lastTimestamp")
    return f"{look}   # shows what it waited for; then housectl tune again"


def _not_up(seen: SeenPod) -> Cause | None:
    """Return what kept a pod from starting, if it was more than time."""
    return was_unstarted(seen) if seen.begun else first_cause(FORMER_START_PROBES, seen)
