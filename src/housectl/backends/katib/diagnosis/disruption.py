"""Causes of pods that were evicted, preempted, lost or deleted, from pod status and events."""

from collections.abc import Mapping
from datetime import timedelta

from housectl.backends.katib.diagnosis.cause import Cause, sentence
from housectl.backends.katib.diagnosis.pod_context import DeletedPodContext, PodContext

_MESSAGE_BY_CONDITION_REASON: Mapping[str, str] = {
    "PreemptionByScheduler": "its pod was preempted by a pod of higher priority on {node}.",
    "DeletionByTaintManager": "its pod was evicted because of a taint of {node}.",
    "EvictionByEvictionAPI": "its pod was evicted, usually because {node} is being drained.",
    "DeletionByPodGC": "its pod was lost with {node}.",
    "TerminationByKubelet": "its pod was terminated by {node}.",
}
_MESSAGE_BY_EVENT_REASON: Mapping[str, str] = {
    "Preempted": "its pod was preempted by a pod of higher priority",
    "TaintManagerEviction": "its pod was evicted because its node was tainted or lost",
    "Evicted": "its pod was evicted",
    "NodeNotReady": "its pod was lost with its node",
    "Killing": "its pod was deleted",
}


def evicted(context: PodContext) -> Cause | None:
    """Return the cause of a pod that the kubelet evicted, rejected or terminated."""
    status = context.pod.status
    if status.phase != "Failed" or status.reason in {"", "DeadlineExceeded"}:
        return None
    problem = f"its pod was evicted from {context.node}"
    if status.reason != "Evicted":
        problem = f"its pod was rejected or terminated by {context.node}: {status.reason}"
    return Cause(message=sentence(problem, status.message), hint=context.node_command)


def disrupted(context: PodContext) -> Cause | None:
    """Return the cause of a pod with the condition DisruptionTarget."""
    condition = context.condition("DisruptionTarget")
    if condition is None or not condition.is_true:
        return None
    message = _MESSAGE_BY_CONDITION_REASON.get(condition.reason)
    return Cause(
        message=message.format(node=context.node)
        if message
        else sentence("its pod was evicted", condition.message),
        hint=context.node_command,
    )


def node_unreachable(context: PodContext) -> Cause | None:
    """Return the cause of a pod whose node is unreachable."""
    ready = context.condition("Ready")
    if context.pod.status.phase != "Running" or ready is None or ready.is_true:
        return None
    if context.latest_event("NodeNotReady") is None and context.pod.status.reason != "NodeLost":
        return None
    return Cause(message=f"{context.node} is unreachable.", hint=context.node_command)


def deleted(context: PodContext) -> Cause | None:
    """Return the cause of a pod that a user deletes before its containers have ended."""
    metadata = context.pod.metadata
    if metadata.deletion_timestamp is None:
        return None
    # The deletion timestamp is the time of the request plus the grace period.
    grace_period = timedelta(seconds=metadata.deletion_grace_period_seconds)
    ends = [status.state.terminated for status in context.pod.status.container_statuses]
    times = [end.finished_at for end in ends if end and end.finished_at]
    last = max(times) if times and len(times) == len(ends) else None
    if last and last < metadata.deletion_timestamp - grace_period:
        return None
    return Cause(message="its pod was deleted.", hint=context.events_command)


def deleted_from_events(context: DeletedPodContext) -> Cause | None:
    """Return the cause of a missing pod, from the events about it."""
    for reason, problem in _MESSAGE_BY_EVENT_REASON.items():
        if event := context.latest_event(reason):
            details = "" if reason == "Killing" else event.message
            return Cause(message=sentence(problem, details), hint=context.events_command)
    return None
