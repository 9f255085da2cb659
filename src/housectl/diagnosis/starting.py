"""Why a pod does not start, whatever it is for."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from housectl.diagnosis.cause import Cause, Place, first_cause
from housectl.diagnosis.container import unmounted, unstarted
from housectl.diagnosis.loss import LOSSES
from housectl.diagnosis.objects import Event, Pod
from housectl.diagnosis.scheduling import unscheduled
from housectl.diagnosis.seen import SeenPod

START_PROBES: Sequence[Callable[[SeenPod], Cause | None]] = (unscheduled, unstarted, unmounted)
POD_PROBES: Sequence[Callable[[SeenPod], Cause | None]] = (*LOSSES, *START_PROBES)


def volume_pod_cause(
    pod: Pod,
    *,
    namespace: str,
    context: str | None = None,
    events: Sequence[Event] = (),
    now: datetime | None = None,
) -> Cause | None:
    """Return why a pod that brings files does not start.

    Args:
        pod: The pod.
        namespace: Where it is.
        context: The kubeconfig's, for the commands of the cures.
        events: Of the namespace, if they are known.
        now: When this was observed; without it, what may pass by itself is no cause.
    """
    seen = SeenPod(
        place=Place(namespace=namespace, context=context),
        pod=pod,
        events=events,
        now=now or pod.metadata.creation_timestamp or datetime.min.replace(tzinfo=UTC),
    )
    return first_cause(POD_PROBES, seen)
