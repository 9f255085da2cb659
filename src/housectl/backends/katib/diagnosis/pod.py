"""Probes of every pod in their order: disruption, scheduling, containers and volumes."""

from collections.abc import Callable, Sequence

from housectl.backends.katib.diagnosis.cause import Cause
from housectl.backends.katib.diagnosis.container import (
    container_not_started,
    container_not_started_from_events,
    volume_not_mounted,
    volume_not_mounted_from_events,
)
from housectl.backends.katib.diagnosis.disruption import (
    deleted,
    disrupted,
    evicted,
    node_unreachable,
)
from housectl.backends.katib.diagnosis.pod_context import PodContext
from housectl.backends.katib.diagnosis.scheduling import unschedulable, unschedulable_from_events

_Probe = Callable[[PodContext], Cause | None]

# These read the pod's status.
DISRUPTION_PROBES: Sequence[_Probe] = (evicted, disrupted, node_unreachable, deleted)
START_PROBES: Sequence[_Probe] = (unschedulable, container_not_started, volume_not_mounted)
POD_PROBES: Sequence[_Probe] = (*DISRUPTION_PROBES, *START_PROBES)
# These read the events about a deleted pod. The later phase comes first: an event of it shows
# that the earlier phases have succeeded.
DELETED_POD_START_PROBES: Sequence[_Probe] = (
    container_not_started_from_events,
    volume_not_mounted_from_events,
    unschedulable_from_events,
)
