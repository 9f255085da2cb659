"""How a pod was taken away from outside, not by what it did."""

from collections.abc import Mapping
from datetime import timedelta

from housectl.backends.katib.diagnosis.cause import Cause, sentence
from housectl.backends.katib.diagnosis.pod_context import DeletedPodContext, PodContext

_DISRUPTIONS: Mapping[str, str] = {
    "PreemptionByScheduler": "it was preempted: a pod of higher priority took its place on",
    "DeletionByTaintManager": "it was evicted, because of a taint of",
    "EvictionByEvictionAPI": "it was evicted, most often because somebody drains",
    "DeletionByPodGC": "it was lost with",
    "TerminationByKubelet": "it was ended by",
}
_GONE: Mapping[str, str] = {
    "Preempted": "its pod was preempted by one of higher priority",
    "TaintManagerEviction": "its pod was evicted, because its node was tainted or lost",
    "Evicted": "its pod was evicted",
    "NodeNotReady": "its pod was lost with its node",
    "Killing": "its pod was deleted",
}


def evicted(seen: PodContext) -> Cause | None:
    """Return why the kubelet ended a pod or refused it."""
    status = seen.pod.status
    if status.phase != "Failed" or status.reason in {"", "DeadlineExceeded"}:
        return None
    what = f"it was evicted from {seen.node}"
    if status.reason != "Evicted":
        what = f"it was refused or ended by {seen.node}: {status.reason}"
    return Cause(message=sentence(what, status.message), hint=seen.node_command)


def disrupted(seen: PodContext) -> Cause | None:
    """Return why the cluster took a pod away."""
    condition = seen.condition("DisruptionTarget")
    if condition is None or not condition.is_true:
        return None
    known = _DISRUPTIONS.get(condition.reason)
    what = f"{known} {seen.node}." if known else sentence("it was evicted", condition.message)
    return Cause(message=what, hint=seen.node_command)


def node_unreachable(seen: PodContext) -> Cause | None:
    """Return the cause if a pod's node says nothing any more."""
    ready = seen.condition("Ready")
    if seen.pod.status.phase != "Running" or ready is None or ready.is_true:
        return None
    if seen.latest_event("NodeNotReady") is None and seen.pod.status.reason != "NodeLost":
        return None
    return Cause(message=f"{seen.node} does not answer.", hint=seen.node_command)


def deleted(seen: PodContext) -> Cause | None:
    """Return the cause if somebody deletes a pod that had not ended by itself before."""
    metadata = seen.pod.metadata
    if metadata.deletion_timestamp is None:
        return None
    # Kubernetes adds the time that the pod is given to end.
    grace = timedelta(seconds=metadata.deletion_grace_period_seconds)
    ends = [each.state.terminated for each in seen.pod.status.container_statuses]
    times = [end.finished_at for end in ends if end and end.finished_at]
    last = max(times) if times and len(times) == len(ends) else None
    if last and last < metadata.deletion_timestamp - grace:
        return None
    return Cause(message="its pod was deleted.", hint=seen.events_command)


def deleted_from_events(seen: DeletedPodContext) -> Cause | None:
    """Return why a pod is no longer there, from the events about it."""
    for reason, what in _GONE.items():
        if event := seen.latest_event(reason):
            said = "" if reason == "Killing" else event.message
            return Cause(message=sentence(what, said), hint=seen.events_command)
    return None


DISRUPTION_PROBES = (evicted, disrupted, node_unreachable, deleted)
