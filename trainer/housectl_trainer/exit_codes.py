"""The end of a trainer run: its exit status and its last log line."""

import signal
import sys
from collections.abc import Callable

from housectl.errors import ExitStatus, HousectlError

# Exit status that shells and Kubernetes show for a process that the OOM killer ended.
OUT_OF_MEMORY = 137
# Messages of C and C++ libraries when an allocation fails.
_OUT_OF_MEMORY_MESSAGES = ("bad_alloc", "bad_malloc", "cannot allocate memory")


def run_and_report(work: Callable[[], None]) -> int:
    """Run the work, log its error and return the exit status.

    The error follows its hint, so that the last line of a log names the cause.
    """
    try:
        work()
    except HousectlError as error:
        print(f"hint: {error.hint}\nerror: {error.message}", file=sys.stderr, flush=True)
        return error.status
    except OSError as error:
        print(f"error: the operating system reports: {error}", file=sys.stderr, flush=True)
        return ExitStatus.LOCAL_ENVIRONMENT
    except MemoryError:
        print("error: out of memory", file=sys.stderr, flush=True)
        return OUT_OF_MEMORY
    return ExitStatus.OK


def abnormal_exit_reason(status: int, last_line: str) -> str | None:
    """Return the reason if a process ran out of memory or a signal ended it.

    Args:
        status: Exit status of the process, negative for a signal.
        last_line: Last line that the process logged.
    """
    if status in {-signal.SIGKILL, OUT_OF_MEMORY} or _reports_lack_of_memory(last_line):
        return "out of memory"
    return f"killed by {signal.Signals(-status).name}" if status < 0 else None


def _reports_lack_of_memory(line: str) -> bool:
    return any(message in line.lower() for message in _OUT_OF_MEMORY_MESSAGES)
