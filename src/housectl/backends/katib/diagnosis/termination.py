"""Causes of failed containers, from their terminated state and their termination report."""

import re
import signal
from collections.abc import Sequence

from housectl.backends.katib.diagnosis.cause import Cause, sentence
from housectl.backends.katib.diagnosis.container import command_failed
from housectl.backends.katib.diagnosis.job_run import JobRun
from housectl.backends.katib.labels_and_paths import inputs_annotation
from housectl.contract.record import MalformedRecordError
from housectl.contract.termination_report import TerminationReport
from housectl.errors import NewerFormatError
from housectl.kube.objects.pods import Terminated
from housectl.quantities import double_quantity, format_mebibytes, readable_quantity

# The exit code of timeout(1), and of the trainer after its own deadline.
_TIMED_OUT = 124
_SIGNALLED = 128
_LIMIT = re.compile(r"timed out after (?P<seconds>[\d.e+]+) s")
_INPUTS = re.compile(r"The inputs \S*/(?P<digest>\w+) cannot be used: (?P<reason>.*)")
_START_FAILED = frozenset({"StartError", "ContainerCannotRun"})
_OUT_OF_MEMORY = re.compile(
    r"out of memory|bad_alloc|bad_malloc|cannot allocate memory|MemoryError", re.IGNORECASE
)


def init_container_failed(run: JobRun) -> Cause | None:
    """Return the cause of a failed init container."""
    statuses = run.pod.pod.status.init_container_statuses if run.pod else []
    for status in statuses:
        termination = status.state.terminated
        if termination and termination.exit_code:
            error = _termination_report(termination, ()).error or ""
            return Cause(
                message=sentence(
                    f"its init container {status.name} {_exit_text(termination)}", error
                ),
                hint=run.target.kubectl(f"logs job/{run.name} -c {status.name}"),
            )
    return None


def not_started(run: JobRun) -> Cause | None:
    """Return the cause of a trainer whose command could not be started."""
    termination = run.termination
    if termination and termination.reason in _START_FAILED and run.pod and run.trainer_container:
        return command_failed(run.pod, run.trainer_container, termination.message)
    return None


def out_of_memory(run: JobRun) -> Cause | None:
    """Return the cause of a trainer that ran out of memory."""
    termination = _failure(run)
    if termination is None:
        return None
    report = _termination_report(termination, run.trainer_lines)
    if termination.reason != "OOMKilled" and not _OUT_OF_MEMORY.search(report.error or ""):
        return None
    peak = "unknown" if report.peak is None else format_mebibytes(report.peak)
    container = run.trainer_container
    limit = container.resources.limits.get("memory") if container else None
    if limit is None:
        nodes = run.target.cluster_kubectl("describe nodes")
        return Cause(message=f"out of memory: no limit, peak {peak}.", hint=nodes)
    return Cause(
        message=f"out of memory: limit {readable_quantity(limit)}, peak {peak}.",
        hint=f"housectl tune --trial-memory {double_quantity(limit)}",
    )


def timed_out(run: JobRun) -> Cause | None:
    """Return the cause of a trainer that ended itself at its deadline."""
    termination = run.termination
    if termination is None or termination.exit_code != _TIMED_OUT:
        return None
    error = _termination_report(termination, run.trainer_lines).error or ""
    limit = _LIMIT.fullmatch(error)
    return trainer_timeout(float(limit["seconds"]) if limit else None)


def unusable_inputs(run: JobRun) -> Cause | None:
    """Return the cause of damaged or missing inputs on the PVC."""
    termination, pvcs = _failure(run), run.pod.pvcs if run.pod else []
    if termination is None or not pvcs:
        return None
    error = _termination_report(termination, run.trainer_lines).error or ""
    match = _INPUTS.search(error)
    if match is None:
        return None
    unmark = run.target.kubectl(f"annotate pvc {pvcs[0]} {inputs_annotation(match['digest'])}-")
    return Cause(
        message=sentence(
            f"the inputs on the PVC {pvcs[0]} are damaged or missing", match["reason"]
        ),
        hint=f"{unmark}   # then housectl tune uploads them again",
    )


def exited(run: JobRun) -> Cause | None:
    """Return the cause of a failed trainer: its exit code or signal, and its error."""
    termination = _failure(run)
    if termination is None:
        return None
    error = _termination_report(termination, run.trainer_lines).error or ""
    return Cause(message=sentence(_exit_text(termination), error), hint=run.logs_command)


def trainer_timeout(seconds: float | None) -> Cause:
    """Return the cause of a training that exceeded its time limit."""
    if seconds is None:
        return Cause(message="timed out.", hint="housectl tune --trial-time 20m")
    return Cause(
        message=f"timed out: limit {seconds:g} s.",
        hint=f"housectl tune --trial-time {2 * seconds:g}s",
    )


def _failure(run: JobRun) -> Terminated | None:
    """Return the terminated state of a failed trainer."""
    return run.termination if run.termination and run.termination.exit_code else None


def _exit_text(termination: Terminated) -> str:
    number = termination.signal or termination.exit_code - _SIGNALLED
    if number in set(signal.Signals):
        return f"killed by {signal.Signals(number).name}"
    return f"exited {termination.exit_code}"


def _termination_report(termination: Terminated, lines: Sequence[str]) -> TerminationReport:
    """Return the trainer's termination report; for another program, one with its last line."""
    try:
        report = TerminationReport.from_json(termination.message.encode())
    except (MalformedRecordError, NewerFormatError):
        report = TerminationReport(error=_last_line(termination.message.splitlines()))
    return TerminationReport(peak=report.peak, error=report.error or _last_line(lines))


def _last_line(lines: Sequence[str]) -> str | None:
    return next((line.strip() for line in reversed(lines) if line.strip()), None)
