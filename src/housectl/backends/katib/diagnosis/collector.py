"""Why Katib's metrics collector failed beside a training that did not."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from housectl.backends.katib.diagnosis.cause import Cause, first_cause, sentence
from housectl.backends.katib.diagnosis.job_run import JobRun
from housectl.backends.katib.diagnosis.pod_context import PodContext
from housectl.backends.katib.katib_names import COLLECTORS, configuration, database_pods
from housectl.kube.objects.pods import Container, Terminated

PANIC = "panic: "

_KLOG = re.compile(
    r"(?P<level>[IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ (?P<file>[\w.-]+):\d+\] (?P<text>.*)"
)
_OWN_LINES = ("Trial Name: ", "Metrics reported. :")


def trainer_lines(log: str) -> list[str]:
    """Return what the trainer printed, without the collector's prefix and its own lines."""
    matches = [match for line in log.splitlines() if (match := _KLOG.fullmatch(line))]
    return [
        match["text"]
        for match in matches
        if match["level"] == "I"
        and match["file"] == "main.go"
        and not match["text"].startswith(_OWN_LINES)
    ]


def collector_failure(log: str) -> str | None:
    """Return what the collector said when it failed, or None."""
    for line in log.splitlines():
        match = _KLOG.fullmatch(line)
        if match and match["level"] == "F":
            return match["text"]
        if line.startswith(PANIC):
            return line
    return None


# A training that fails takes the collector along, within a second.
_PATIENCE = timedelta(seconds=5)
_NO_PROCESS = "unable to find main pid"
_WAITED = "Failed to wait for worker container: "


@dataclass(frozen=True, kw_only=True)
class _Failure:
    """A collector that has failed although the training has not.

    Attributes:
        seen: Its pod.
        name: Its container's.
        ended: How it ended.
        said: What it said of that.
    """

    attempt: JobRun
    seen: PodContext
    name: str
    ended: Terminated
    said: str

    @property
    def training(self) -> str:
        """How the training stands."""
        return "the training ended well" if self.attempt.termination else "the training runs on"

    @property
    def container(self) -> Container:
        """Its container, as it should be."""
        return self.seen.container(self.name)

    @property
    def show(self) -> str:
        """The command that shows what it said."""
        return self.attempt.target.kubectl(f"logs {self.seen.name} -c {self.name}")

    @property
    def again(self) -> str:
        """The hint where only an image came too late."""
        return f"housectl tune   # now {self.seen.node} has that image"


def collector_failed(attempt: JobRun, log: str) -> Cause | None:
    """Return why the collector failed although the training did not.

    When the training fails, the collector always does so too, which says nothing.
    """
    seen = attempt.pod
    if seen is None or not attempt.healthy:
        return None
    for name in COLLECTORS:
        ended = attempt.termination_of(name)
        if ended and ended.exit_code and not _is_recent(attempt, ended):
            said = collector_failure(log) or f"exited {ended.exit_code}"
            failure = _Failure(attempt=attempt, seen=seen, name=name, ended=ended, said=said)
            return first_cause(_PROBES, failure)
    return None


def _is_recent(attempt: JobRun, ended: Terminated) -> bool:
    """Whether the training may have ended before, and Kubernetes does not know it yet."""
    if attempt.termination or ended.finished_at is None:
        return False
    return attempt.now - ended.finished_at < _PATIENCE


def _out_of_memory(failure: _Failure) -> Cause | None:
    if failure.ended.reason != "OOMKilled":
        return None
    return Cause(
        message=f"{failure.training}, but Katib's metrics collector ran out of memory: limit "
        f"{failure.container.resources.limits.get('memory', 'unknown')}.",
        hint=f"{configuration(failure.attempt.target)}   # raise its resources.limits.memory",
    )


def _started_before_trainer(failure: _Failure) -> Cause | None:
    """Return the cause if the collector ended before the training began."""
    began, ended = failure.attempt.started_at, failure.ended.finished_at
    was_early = began and ended and ended < began
    if not was_early and not (failure.attempt.running and _NO_PROCESS in failure.said):
        return None
    return Cause(
        message="its metric is lost, because Katib's metrics collector looked for the training before "
        "the trainer's image had come.",
        hint=failure.again,
    )


def _training_already_over(failure: _Failure) -> Cause | None:
    """Return the cause if the training ended before the collector began.

    Kubernetes pulls the collector's image when it has started the training.
    """
    if _NO_PROCESS not in failure.said:
        return None
    pulled = f'"{failure.container.image}"'
    if failure.seen.latest_event("Pulling", containing=pulled):
        return Cause(
            message="its metric is lost, because the training ended before the image of Katib's "
            "metrics collector came.",
            hint=failure.again,
        )
    return Cause(
        message="its metric is lost, because the training ended before Katib's metrics collector "
        "looked.",
        hint=f"{failure.show}   # a training has to run for 2 s, on a busy node for 10 s",
    )


def _explained(failure: _Failure) -> Cause:
    """Return the cause of a failure of the collector, from what it said."""
    said = sentence(failure.said.removeprefix(_WAITED).removeprefix(PANIC))
    for pattern, what, advice in _SAYINGS:
        if pattern.search(failure.said):
            database = database_pods(failure.attempt.target)
            return Cause(
                message=f"{what.format(failure.training)}: {said}",
                hint=failure.show + advice.format(database),
            )
    return Cause(
        message=f"{failure.training}, but Katib's metrics collector failed: {said}",
        hint=failure.show,
    )


_SAYINGS: Sequence[tuple[re.Pattern[str], str, str]] = (
    (
        re.compile(f"^{PANIC}.*(?:regexp|regular expression)"),
        "Katib's metrics collector cannot read its filter",
        "   # then correct the filter of metricsCollectorSpec, and submit it anew",
    ),
    (
        re.compile("Failed to Report logs.*(?:parameters|placeholders)"),
        "the training printed its metric on more lines than Katib's database takes",
        "   # print the metric once, at the end",
    ),
    (
        re.compile(
            "connection refused|no such host|Unavailable|[Dd]eadline ?[Ee]xceeded|i/o timeout"
        ),
        "{}, but Katib's database does not answer",
        "   # its pods: {}",
    ),
)
_PROBES: Sequence[Callable[[_Failure], Cause | None]] = (
    _out_of_memory,
    _started_before_trainer,
    _training_already_over,
    _explained,
)
