"""How a run of the trainer ends: its exit status, and what it says last."""

import sys
from collections.abc import Callable

from housectl.errors import ExitStatus, HousectlError

# What a shell and Kubernetes show for a process that the kernel killed for lack of memory.
OUT_OF_MEMORY = 137


def exit_status(work: Callable[[], None]) -> int:
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
    return ExitStatus.DONE
