"""Why a pod does not start, whatever it is for."""

from collections.abc import Callable, Sequence

from housectl.backends.katib.diagnosis.cause import Cause
from housectl.backends.katib.diagnosis.container import (
    unmounted,
    unstarted,
    was_unmounted,
    was_unstarted,
)
from housectl.backends.katib.diagnosis.disruption import LOSSES
from housectl.backends.katib.diagnosis.pod import SeenPod
from housectl.backends.katib.diagnosis.scheduling import unscheduled, was_unscheduled

_Probe = Callable[[SeenPod], Cause | None]

# From how a pod stands.
START_PROBES: Sequence[_Probe] = (unscheduled, unstarted, unmounted)
POD_PROBES: Sequence[_Probe] = (*LOSSES, *START_PROBES)
# From the events about it, when it is gone. What comes later in the life of a pod shows that what
# comes before went well at last, so that it is asked first.
FORMER_START_PROBES: Sequence[_Probe] = (was_unstarted, was_unmounted, was_unscheduled)
