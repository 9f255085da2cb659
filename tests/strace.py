"""System calls of programs: their log, and failures of them. Such tests have the mark `strace`."""

from pathlib import Path


def inject_fault(calls: str, fault: str, *, follow_children: bool = True) -> tuple[str, ...]:
    """Return a command prefix under which a program's system calls fail.

    Args:
        calls: Names of system calls, joined by commas.
        fault: Fault in strace's syntax, for example `error=ENOSPC` or `signal=KILL:when=3`.
        follow_children: False to leave child processes alone.
    """
    options = ("-f",) if follow_children else ()
    inject = ("-e", f"trace={calls}", "-e", f"inject={calls}:{fault}")
    return ("strace", "-qq", *options, "-o", "/dev/null", *inject)


def log_calls(calls: str, log: Path) -> tuple[str, ...]:
    """Return a command prefix that writes a program's system calls to a file."""
    return ("strace", "-qq", "-o", str(log), "-e", f"trace={calls}", "-e", "signal=none")


def log_all_calls(log: Path) -> tuple[str, ...]:
    """Return a command prefix that writes all system calls of a program and its children.

    The started process is the program itself, so it gets all signals. strace ends after it.
    """
    return ("strace", "-D", "-f", "-q", "-o", str(log), "-e", "signal=none")
