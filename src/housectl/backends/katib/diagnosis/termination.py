"""How the trainer ended, from its container and its last words."""

import re
import signal
from collections.abc import Sequence

from housectl.backends.katib.diagnosis.cause import Cause, sentence
from housectl.backends.katib.diagnosis.container import start_failure
from housectl.backends.katib.diagnosis.job_run import JobRun
from housectl.backends.katib.naming import inputs_annotation
from housectl.contract.record import MalformedRecordError
from housectl.contract.termination_report import TerminationReport
from housectl.errors import NewerFormatError
from housectl.kube.objects.pods import Terminated
from housectl.quantities import double_quantity, format_mebibytes, readable_quantity

# timeout(1) ends so, and so does the trainer when its time is used up.
_TIMED_OUT = 124
_SIGNALLED = 128
_LIMIT = re.compile(r"timed out after (?P<seconds>[\d.e+]+) s")
_INPUTS = re.compile(r"The inputs \S*/(?P<digest>\w+) cannot be used: (?P<why>.*)")
_NO_START = frozenset({"StartError", "ContainerCannotRun"})
_NO_MEMORY = re.compile(
    r"out of memory|bad_alloc|bad_malloc|cannot allocate memory|MemoryError", re.IGNORECASE
)


def init_container_failed(attempt: JobRun) -> Cause | None:
    """Return the cause if a container that comes before the trainer failed."""
    statuses = attempt.pod.pod.status.init_container_statuses if attempt.pod else []
    for status in statuses:
        ended = status.state.terminated
        if ended and ended.exit_code:
            words = _termination_report(ended, ())
            return Cause(
                message=sentence(
                    f"its init container {status.name} {_status(ended)}", words.error or ""
                ),
                hint=attempt.target.kubectl(f"logs job/{attempt.name} -c {status.name}"),
            )
    return None


def not_started(attempt: JobRun) -> Cause | None:
    """Return the cause if the trainer's command could not be started."""
    ended = attempt.termination
    if ended and ended.reason in _NO_START and attempt.pod and attempt.trainer_container:
        return start_failure(attempt.pod, attempt.trainer_container, ended.message)
    return None


def out_of_memory(attempt: JobRun) -> Cause | None:
    """Return the cause if the trainer had too little memory."""
    ended = attempt.termination
    if ended is None or ended.exit_code == 0:
        return None
    words = _termination_report(ended, attempt.trainer_lines)
    if ended.reason != "OOMKilled" and not _NO_MEMORY.search(words.error or ""):
        return None
    peak = "unknown" if words.peak is None else format_mebibytes(words.peak)
    limit = (
        attempt.trainer_container.resources.limits.get("memory")
        if attempt.trainer_container
        else None
    )
    if limit is None:
        node = attempt.target.cluster_kubectl("describe nodes")
        return Cause(message=f"out of memory: no limit, peak {peak}.", hint=node)
    return Cause(
        message=f"out of memory: limit {readable_quantity(limit)}, peak {peak}.",
        hint=f"housectl tune --trial-memory {double_quantity(limit)}",
    )


def timed_out(attempt: JobRun) -> Cause | None:
    """Return the cause if the trainer ended itself for the time that it took."""
    ended = attempt.termination
    if ended is None or ended.exit_code != _TIMED_OUT:
        return None
    limit = _LIMIT.fullmatch(_termination_report(ended, attempt.trainer_lines).error or "")
    return out_of_time(float(limit["seconds"]) if limit else None)


def unusable_inputs(attempt: JobRun) -> Cause | None:
    """Return the cause if the inputs that were brought to the claim are damaged or gone."""
    ended, claims = attempt.termination, attempt.pod.pvcs if attempt.pod else []
    words = (
        _termination_report(ended, attempt.trainer_lines)
        if ended and ended.exit_code
        else TerminationReport()
    )
    match = _INPUTS.search(words.error or "")
    if match is None or not claims:
        return None
    again = attempt.target.kubectl(
        f"annotate pvc {claims[0]} {inputs_annotation(match['digest'])}-"
    )
    return Cause(
        message=sentence(f"the inputs on the claim {claims[0]} are damaged or gone", match["why"]),
        hint=f"{again}   # then housectl tune brings them again",
    )


def exited(attempt: JobRun) -> Cause | None:
    """Return the cause if the trainer failed: its status, and the last thing that it said."""
    ended = attempt.termination
    if ended is None or ended.exit_code == 0:
        return None
    words = _termination_report(ended, attempt.trainer_lines)
    return Cause(message=sentence(_status(ended), words.error or ""), hint=attempt.logs_command)


def out_of_time(seconds: float | None) -> Cause:
    """Return the cause of a training that took longer than so many seconds."""
    if seconds is None:
        return Cause(message="timed out.", hint="housectl tune --trial-time 20m")
    return Cause(
        message=f"timed out: limit {seconds:g} s.",
        hint=f"housectl tune --trial-time {2 * seconds:g}s",
    )


def _status(ended: Terminated) -> str:
    number = ended.signal or ended.exit_code - _SIGNALLED
    if number in set(signal.Signals):
        return f"killed by {signal.Signals(number).name}"
    return f"exited {ended.exit_code}"


def _termination_report(ended: Terminated, lines: Sequence[str]) -> TerminationReport:
    """Return the trainer's last words; of another program its last line in their place."""
    try:
        words = TerminationReport.from_json(ended.message.encode())
    except (MalformedRecordError, NewerFormatError):
        words = TerminationReport(error=_last_line(ended.message.splitlines()))
    return TerminationReport(peak=words.peak, error=words.error or _last_line(lines))


def _last_line(lines: Sequence[str]) -> str | None:
    return next((line.strip() for line in reversed(lines) if line.strip()), None)
