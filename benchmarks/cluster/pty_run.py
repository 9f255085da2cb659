"""Commands on a terminal, where they show more than in a file."""

import os
import pty
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from termios import tcsetwinsize
from threading import Thread

_ROWS, _COLUMNS = 40, 120


def cpu_seconds_on_terminal(
    command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str] | None = None
) -> float:
    """Run a process to its end and return the CPU time that it used, user's and system's."""
    ours, theirs = pty.openpty()
    tcsetwinsize(theirs, (_ROWS, _COLUMNS))
    reader = Thread(target=_read, args=(ours,))
    reader.start()
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdout=theirs,
            stderr=theirs,
        )
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        os.close(theirs)
        reader.join()
        os.close(ours)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return usage.ru_utime + usage.ru_stime


def _read(terminal: int) -> None:
    """Read all that is shown; at the end Linux says that the other side is gone."""
    with suppress(OSError):
        while os.read(terminal, 1 << 16):
            pass
