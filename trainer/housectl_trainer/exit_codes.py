"""How a run of the trainer ends: its exit status, and what it says last."""

import signal
import sys
from collections.abc import Callable

from housectl.errors import ExitStatus, HousectlError

# What a shell and Kubernetes show for a process that the kernel killed for lack of memory.
OUT_OF_MEMORY = 137
# How C and C++ libraries, glibc among them, end when they get no memory.
_OUT_OF_MEMORY_TEXTS = ("bad_alloc", "bad_malloc", "cannot allocate memory")


def run_and_report(work: Callable[[], None]) -> int:
    """Do the work and return the exit status.

    The error comes after its hint, so that the last line of a log names the cause.
    """
    try:
        work()
    except HousectlError as error:
        print(f"hint: {error.hint}\nerror: {error.message}", file=sys.stderr, flush=True)
        return error.status
    except MemoryError:
        print("error: out of memory", file=sys.stderr, flush=True)
        return OUT_OF_MEMORY
    return ExitStatus.OK


def abnormal_exit_reason(status: int, last_line: str) -> str | None:
    """Return what ended a process that could not say so itself: want of memory, or a signal.

    Args:
        status: Its exit status, negative for a signal.
        last_line: What it logged last.
    """
    if status in {-signal.SIGKILL, OUT_OF_MEMORY} or _tells_no_memory(last_line):
        return "out of memory"
    return f"killed by {signal.Signals(-status).name}" if status < 0 else None


def _tells_no_memory(line: str) -> bool:
    return any(text in line.lower() for text in _OUT_OF_MEMORY_TEXTS)
