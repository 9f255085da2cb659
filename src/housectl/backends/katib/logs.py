"""What the trainer said in a pod."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from housectl.backends.katib.diagnosis.collector import trainer_lines
from housectl.backends.katib.katib_names import COLLECTORS
from housectl.backends.katib.naming import JOB_LABEL
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.errors import RejectedError
from housectl.kube.client import Kube
from housectl.kube.kinds import PODS
from housectl.kube.objects.pods import Pod

_PAUSE_SECONDS = 5.0


def trial_log(kube: Kube, trial: str) -> Iterator[str]:
    """Yield a trial's lines, which Katib's collector repeats with words of its own before them."""
    for pod in kube.list_as(PODS, Pod, labels=f"{JOB_LABEL}={trial}"):
        collectors = [each.name for each in pod.spec.containers if each.name in COLLECTORS]
        for collector in collectors:
            yield from trainer_lines(_log(kube, pod, collector))
        if not collectors:
            yield from _log(kube, pod, CONTAINER).splitlines()


class TaskLogs:
    """What tasks have said so far.

    Whoever waits for a task shows its last line again and again, so a log that may still grow is
    read once in a few seconds.

    Args:
        kube: The cluster.
    """

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._read: dict[str, _Read] = {}

    def lines(self, pods: Sequence[Pod]) -> Iterator[str]:
        """Yield the lines of a task's pods."""
        for pod in pods:
            known, ended = self._read.get(pod.metadata.uid), _has_ended(pod)
            if known is None or known.is_old(ended=ended):
                text = _log(self._kube, pod, CONTAINER)
                known = _Read(at=time.monotonic(), whole=ended, lines=text.splitlines())
                self._read[pod.metadata.uid] = known
            yield from known.lines


@dataclass(frozen=True, kw_only=True)
class _Read:
    """A log as it was read; `whole` when nothing could come any more."""

    at: float
    whole: bool
    lines: Sequence[str]

    def is_old(self, *, ended: bool) -> bool:
        """Return whether there may be more by now, of a pod that has ended or not."""
        if ended:
            return not self.whole
        return time.monotonic() - self.at >= _PAUSE_SECONDS


def _has_ended(pod: Pod) -> bool:
    return any(each.state.terminated for each in pod.status.container_statuses)


def _log(kube: Kube, pod: Pod, container: str) -> str:
    try:
        return kube.log(pod.metadata.name, container)
    except RejectedError:
        # The container has not started, so it has said nothing.
        return ""
