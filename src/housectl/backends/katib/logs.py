"""The trainer's log lines, from the logs of pods."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from housectl.backends.katib.diagnosis.collector import trainer_lines
from housectl.backends.katib.katib_installation import COLLECTORS
from housectl.backends.katib.labels_and_paths import JOB_LABEL
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.errors import RejectedError
from housectl.kube.client import Kube
from housectl.kube.kinds import PODS
from housectl.kube.objects.pods import Pod

_REFRESH_SECONDS = 5.0


def trial_log(kube: Kube, trial: str) -> Iterator[str]:
    """Yield a trial's lines; Katib's collector repeats them with prefixes of its own."""
    for pod in kube.list_as(PODS, Pod, labels=f"{JOB_LABEL}={trial}"):
        names = [container.name for container in pod.spec.containers]
        collectors = [name for name in names if name in COLLECTORS]
        for collector in collectors:
            yield from trainer_lines(_log(kube, pod, collector))
        if not collectors:
            yield from _log(kube, pod, CONTAINER).splitlines()


class TaskLogs:
    """The logs of tasks.

    A waiting command asks for the last line many times, so an incomplete log is read again only
    after a few seconds.

    Args:
        kube: A client for the namespace of the tasks.
    """

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._cache: dict[str, _CachedLog] = {}

    def lines(self, pods: Sequence[Pod]) -> Iterator[str]:
        """Yield the lines of a task's pods."""
        for pod in pods:
            cached, ended = self._cache.get(pod.metadata.uid), _has_ended(pod)
            if cached is None or cached.is_stale(pod_ended=ended):
                text = _log(self._kube, pod, CONTAINER)
                cached = _CachedLog(
                    read_at=time.monotonic(), complete=ended, lines=text.splitlines()
                )
                self._cache[pod.metadata.uid] = cached
            yield from cached.lines


@dataclass(frozen=True, kw_only=True)
class _CachedLog:
    """A log at one moment; `complete` if its container had ended before."""

    read_at: float
    complete: bool
    lines: Sequence[str]

    def is_stale(self, *, pod_ended: bool) -> bool:
        """Return True if the log may have more lines."""
        if pod_ended:
            return not self.complete
        return time.monotonic() - self.read_at >= _REFRESH_SECONDS


def _has_ended(pod: Pod) -> bool:
    return any(status.state.terminated for status in pod.status.container_statuses)


def _log(kube: Kube, pod: Pod, container: str) -> str:
    try:
        return kube.log(pod.metadata.name, container)
    except RejectedError:
        # The container has not started, so it has no log.
        return ""
