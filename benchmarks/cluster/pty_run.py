"""Commands on a pseudo-terminal, with their live display."""

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
    """Run a process on a terminal and return its user and system CPU time."""
    controller, terminal = pty.openpty()
    tcsetwinsize(terminal, (_ROWS, _COLUMNS))
    reader = Thread(target=_discard_output, args=(controller,))
    reader.start()
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdout=terminal,
            stderr=terminal,
        )
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        os.close(terminal)
        reader.join()
        os.close(controller)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return usage.ru_utime + usage.ru_stime


def _discard_output(controller: int) -> None:
    """Read until Linux reports that the other side is closed."""
    with suppress(OSError):
        while os.read(controller, 1 << 16):
            pass
