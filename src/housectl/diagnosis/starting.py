"""Why a pod does not start, whatever it is for."""

from collections.abc import Callable, Sequence

from housectl.diagnosis.cause import Cause
from housectl.diagnosis.container import unmounted, unstarted
from housectl.diagnosis.loss import LOSSES
from housectl.diagnosis.scheduling import unscheduled
from housectl.diagnosis.seen import SeenPod

START_PROBES: Sequence[Callable[[SeenPod], Cause | None]] = (unscheduled, unstarted, unmounted)
POD_PROBES: Sequence[Callable[[SeenPod], Cause | None]] = (*LOSSES, *START_PROBES)
