"""The log of Katib's sidecar: the trainer's lines, and what went wrong with the sidecar itself."""

import re
from collections.abc import Sequence

from housectl.diagnosis.attempt import Attempt
from housectl.diagnosis.cause import Cause, sentence
from housectl.diagnosis.installation import KATIB_NAMESPACE, configuration
from housectl.diagnosis.objects import Terminated
from housectl.diagnosis.origin import COLLECTORS

_KLOG = re.compile(
    r"(?P<level>[IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ (?P<file>[\w.-]+):\d+\] (?P<text>.*)"
)
_OWN_LINES = ("Trial Name: ", "Metrics reported. :")
_DATABASE = "katib.kubeflow.org/component=db-manager"
_PANIC = "panic: "
_WAITED = "Failed to wait for worker container: "


def trainer_lines(log: str) -> list[str]:
    """Return what the trainer printed, without the sidecar's prefix and its own lines."""
    matches = [match for line in log.splitlines() if (match := _KLOG.fullmatch(line))]
    return [
        match["text"]
        for match in matches
        if match["level"] == "I"
        and match["file"] == "main.go"
        and not match["text"].startswith(_OWN_LINES)
    ]


def collector_failure(log: str) -> str | None:
    """Return what the sidecar said when it failed, or None."""
    for line in log.splitlines():
        match = _KLOG.fullmatch(line)
        if match and match["level"] == "F":
            return match["text"]
        if line.startswith(_PANIC):
            return line
    return None


def collector_died(attempt: Attempt, log: str) -> Cause | None:
    """Return why the sidecar failed although the training did not.

    When the training fails, the sidecar always does so too, which says nothing.
    """
    if attempt.ended is None or attempt.ended.exit_code:
        return None
    for name in COLLECTORS:
        ended = attempt.ending_of(name)
        if ended is None or ended.exit_code == 0:
            continue
        if ended.reason == "OOMKilled":
            return _starved(attempt, name)
        if _ended_before(ended, attempt.ended):
            return _hasty(attempt)
        return _explained(attempt, name, collector_failure(log) or f"exited {ended.exit_code}")
    return None


def _ended_before(collector: Terminated, trainer: Terminated) -> bool:
    times = (collector.finished_at, trainer.started_at)
    return times[0] is not None and times[1] is not None and times[0] < times[1]


def _hasty(attempt: Attempt) -> Cause:
    return Cause(
        what="its metric is lost, because Katib's metrics collector looks for the training once, "
        "and its image came later.",
        cure=f"housectl tune   # now {attempt.seen.node if attempt.seen else 'the node'} has it",
    )


def _starved(attempt: Attempt, name: str) -> Cause:
    limits = attempt.seen.container(name).resources.limits if attempt.seen else {}
    return Cause(
        what="the training ended well, but Katib's metrics collector ran out of memory: limit "
        f"{limits.get('memory', 'unknown')}.",
        cure=f"{configuration(attempt.place)}   # raise its resources.limits.memory",
    )


def _explained(attempt: Attempt, name: str, failure: str) -> Cause:
    """Return the cause of a failure of the sidecar, from what it said."""
    said = failure.removeprefix(_WAITED).removeprefix(_PANIC)
    pod = attempt.seen.name if attempt.seen else f"job/{attempt.name}"
    show = attempt.place.kubectl(f"logs {pod} -c {name}")
    for pattern, what, advice in _FAILURES:
        if pattern.search(failure):
            return Cause(what=what.format(sentence(said)), cure=f"{show}{advice}")
    return Cause(
        what=f"the training ended well, but Katib's metrics collector failed: {sentence(said)}",
        cure=show,
    )


_FAILURES: Sequence[tuple[re.Pattern[str], str, str]] = (
    (
        re.compile("unable to find main pid"),
        "its metric is lost, because the training ended before Katib's metrics collector looked.",
        "   # a training has to run for 2 s, on a busy node for 10 s",
    ),
    (
        re.compile(f"^{_PANIC}.*(?:regexp|regular expression)"),
        "Katib's metrics collector cannot read its filter: {}",
        "   # then correct the filter of metricsCollectorSpec, and submit it anew",
    ),
    (
        re.compile("Failed to Report logs.*(?:parameters|placeholders)"),
        "the training printed its metric on more lines than Katib's database takes: {}",
        "   # print the metric once, at the end",
    ),
    (
        re.compile(
            "connection refused|no such host|Unavailable|[Dd]eadline ?[Ee]xceeded|i/o timeout"
        ),
        "the training ended well, but Katib's database does not answer: {}",
        f"   # its pods: kubectl get pods -n {KATIB_NAMESPACE} -l {_DATABASE}",
    ),
)
