"""Causes of failed metrics collectors, from their terminated state and log; also their log format.

Katib runs a collector as a sidecar of each trainer and puts the trainer's output into its log.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from housectl.backends.katib.diagnosis.cause import Cause, first_cause, sentence
from housectl.backends.katib.diagnosis.job_run import JobRun
from housectl.backends.katib.diagnosis.pod_context import PodContext
from housectl.backends.katib.katib_installation import (
    COLLECTORS,
    config_command,
    database_pods_command,
)
from housectl.kube.objects.pods import Container, Terminated

_PANIC = "panic: "
_KLOG = re.compile(
    r"(?P<level>[IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ (?P<file>[\w.-]+):\d+\] (?P<text>.*)"
)
_OWN_LINES = ("Trial Name: ", "Metrics reported. :")

# A failed training makes the collector fail within a second.
_GRACE_TIME = timedelta(seconds=5)
_NO_PROCESS = "unable to find main pid"
_WAIT_PREFIX = "Failed to wait for worker container: "


def trainer_lines(log: str) -> list[str]:
    """Return the trainer's lines of a collector's log, without prefixes and the collector's own."""
    matches = [match for line in log.splitlines() if (match := _KLOG.fullmatch(line))]
    return [
        match["text"]
        for match in matches
        if match["level"] == "I"
        and match["file"] == "main.go"
        and not match["text"].startswith(_OWN_LINES)
    ]


def collector_error(log: str) -> str | None:
    """Return the fatal error in a collector's log."""
    for line in log.splitlines():
        match = _KLOG.fullmatch(line)
        if match and match["level"] == "F":
            return match["text"]
        if line.startswith(_PANIC):
            return line
    return None


@dataclass(frozen=True, kw_only=True)
class _Failure:
    """A collector that failed although the training did not.

    Attributes:
        name: Name of the collector's container.
        termination: Terminated state of that container.
        error: Fatal error of its log, or its exit code.
    """

    run: JobRun
    pod: PodContext
    name: str
    termination: Terminated
    error: str

    @property
    def training_state(self) -> str:
        """The state of the training in words."""
        if self.run.termination:
            return "the training succeeded"
        return "the training is still running"

    @property
    def container(self) -> Container:
        """The collector's container in the pod's specification."""
        return self.pod.container(self.name)

    @property
    def logs_command(self) -> str:
        """Command that shows the collector's log."""
        return self.run.target.kubectl(f"logs {self.pod.name} -c {self.name}")

    @property
    def retry_hint(self) -> str:
        """The hint for an image that was pulled too late."""
        return f"housectl tune   # now {self.pod.node} has that image"


def collector_failed(run: JobRun, log: str) -> Cause | None:
    """Return the cause of a failed collector whose training did not fail.

    A failed training always makes the collector fail, too.
    """
    if run.pod is None or not run.healthy:
        return None
    for name in COLLECTORS:
        termination = run.termination_of(name)
        if termination and termination.exit_code and not _is_recent(run, termination):
            error = collector_error(log) or f"exited {termination.exit_code}"
            failure = _Failure(
                run=run, pod=run.pod, name=name, termination=termination, error=error
            )
            return first_cause(_PROBES, failure)
    return None


def _is_recent(run: JobRun, termination: Terminated) -> bool:
    """Return True if Kubernetes may not have reported the end of the training yet."""
    if run.termination or termination.finished_at is None:
        return False
    return run.now - termination.finished_at < _GRACE_TIME


def _out_of_memory(failure: _Failure) -> Cause | None:
    if failure.termination.reason != "OOMKilled":
        return None
    limit = failure.container.resources.limits.get("memory", "unknown")
    return Cause(
        message=f"{failure.training_state}, but Katib's metrics collector ran out of memory: limit "
        f"{limit}.",
        hint=f"{config_command(failure.run.target)}   # raise its resources.limits.memory",
    )


def _started_before_trainer(failure: _Failure) -> Cause | None:
    """Return the cause if the collector ended before the training started."""
    started, ended = failure.run.started_at, failure.termination.finished_at
    was_early = started and ended and ended < started
    if not was_early and not (failure.run.running and _NO_PROCESS in failure.error):
        return None
    return Cause(
        message="its metric is lost: Katib's metrics collector looked for the training before the "
        "trainer's image was pulled.",
        hint=failure.retry_hint,
    )


def _training_already_over(failure: _Failure) -> Cause | None:
    """Return the cause if the training ended before the collector started.

    Kubernetes pulls the collector's image after it has started the training.
    """
    if _NO_PROCESS not in failure.error:
        return None
    if failure.pod.latest_event("Pulling", containing=f'"{failure.container.image}"'):
        return Cause(
            message="its metric is lost: the training ended before the image of Katib's metrics "
            "collector was pulled.",
            hint=failure.retry_hint,
        )
    return Cause(
        message="its metric is lost: the training ended before Katib's metrics collector looked "
        "for it.",
        hint=f"{failure.logs_command}   # a training must run for 2 s, on a busy node for 10 s",
    )


def _known_error(failure: _Failure) -> Cause | None:
    """Return the cause of a fatal error that is known."""
    for pattern, problem, advice in _KNOWN_ERRORS:
        if pattern.search(failure.error):
            return Cause(
                message=f"{problem.format(failure.training_state)}: {_error_sentence(failure)}",
                hint=failure.logs_command
                + advice.format(database_pods_command(failure.run.target)),
            )
    return None


def _other_error(failure: _Failure) -> Cause:
    problem = f"{failure.training_state}, but Katib's metrics collector failed"
    return Cause(message=f"{problem}: {_error_sentence(failure)}", hint=failure.logs_command)


def _error_sentence(failure: _Failure) -> str:
    return sentence(failure.error.removeprefix(_WAIT_PREFIX).removeprefix(_PANIC))


# A pattern of the error, the problem (with the state of the training for {}), and the advice of the
# hint (with the command for the database's pods).
_KNOWN_ERRORS: Sequence[tuple[re.Pattern[str], str, str]] = (
    (
        re.compile(f"^{_PANIC}.*(?:regexp|regular expression)"),
        "Katib's metrics collector has an invalid filter",
        "   # then correct the filter of metricsCollectorSpec, and submit the experiment again",
    ),
    (
        re.compile("Failed to Report logs.*(?:parameters|placeholders)"),
        "the training printed its metric on more lines than Katib's database accepts",
        "   # print the metric once, at the end",
    ),
    (
        re.compile(
            "connection refused|no such host|Unavailable|[Dd]eadline ?[Ee]xceeded|i/o timeout"
        ),
        "{}, but Katib's database is unreachable",
        "   # its pods: {}",
    ),
)
_PROBES: Sequence[Callable[[_Failure], Cause | None]] = (
    _out_of_memory,
    _started_before_trainer,
    _training_already_over,
    _known_error,
    _other_error,
)
