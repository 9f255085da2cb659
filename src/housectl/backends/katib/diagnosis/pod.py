"""Why a pod does not start, whatever it is for."""

from collections.abc import Callable, Sequence

from housectl.backends.katib.diagnosis.cause import Cause
from housectl.backends.katib.diagnosis.container import (
    container_not_started,
    container_not_started_from_events,
    volume_not_mounted,
    volume_not_mounted_from_events,
)
from housectl.backends.katib.diagnosis.disruption import DISRUPTION_PROBES
from housectl.backends.katib.diagnosis.pod_context import PodContext
from housectl.backends.katib.diagnosis.scheduling import unschedulable, unschedulable_from_events

_Probe = Callable[[PodContext], Cause | None]

# From how a pod stands.
START_PROBES: Sequence[_Probe] = (unschedulable, container_not_started, volume_not_mounted)
POD_PROBES: Sequence[_Probe] = (*DISRUPTION_PROBES, *START_PROBES)
# From the events about it, when it is gone. What comes later in the life of a pod shows that what
# comes before went well at last, so that it is asked first.
FORMER_START_PROBES: Sequence[_Probe] = (
    container_not_started_from_events,
    volume_not_mounted_from_events,
    unschedulable_from_events,
)
