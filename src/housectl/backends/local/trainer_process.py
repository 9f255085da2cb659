"""The trainer's processes: the pool that makes trials, and one for a task."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, Popen
from typing import IO, cast

from housectl.contract.pool_protocol import TrialRequest, TrialResult
from housectl.contract.record import canonical_json
from housectl.errors import TaskFailedError

# -P: a directory named `trainer` where housectl was called must not take the trainer's place.
_PYTHON = (sys.executable, "-P")


class PoolCrashedError(Exception):
    """The pool ended although nothing was wrong with its inputs, for instance by a kill."""


class TrainerPool:
    """The trainer's fork server.

    Args:
        arguments: What follows `python`.
        log: Gets the pool's own lines; trials have logs of their own.
    """

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self._log = log
        with log.open("wb") as file:
            self._process = Popen(
                (*_PYTHON, *arguments), stdin=PIPE, stdout=PIPE, stderr=file, process_group=0
            )
        self._requests = cast("IO[bytes]", self._process.stdin)
        self._answers = cast("IO[bytes]", self._process.stdout)

    def send(self, request: TrialRequest) -> None:
        """Start a trial. That the pool is dead shows when an answer is asked for."""
        with suppress(BrokenPipeError):
            os.write(self._requests.fileno(), canonical_json(request) + b"\n")

    def next_result(self) -> TrialResult:
        """Wait until any trial has ended, and tell how.

        Raises:
            PoolDiedError: The pool was killed.
            TaskFailedError: The pool refused its inputs.
        """
        line = self._answers.readline()
        if line.endswith(b"\n"):
            return TrialResult.from_json(line)
        if self._process.wait() > 0:
            raise _failure("trainer's pool", self._process.returncode, self._log)
        raise PoolCrashedError(_exit_description(self._process.returncode))

    def kill(self) -> None:
        """End the pool and its trials. Idempotent."""
        _kill(self._process)


def run_task(arguments: Sequence[str], log: Path) -> None:
    """Run the trainer once, to its end.

    Args:
        arguments: What follows `python`.
        log: Gets all of its lines.

    Raises:
        TaskFailedError: It ended badly.
    """
    with log.open("wb") as file:
        process = Popen(
            (*_PYTHON, *arguments), stdin=DEVNULL, stdout=file, stderr=STDOUT, process_group=0
        )
    try:
        if process.wait() != 0:
            raise _failure("trainer", process.returncode, log)
    finally:
        _kill(process)


def last_line(log: Path) -> str:
    """Return the last line of a log that is not empty, if there is one."""
    text = log.read_text(errors="replace").strip() if log.exists() else ""
    return text.rpartition("\n")[2].removeprefix("error: ")


def _kill(process: "Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _failure(what: str, status: int, log: Path) -> TaskFailedError:
    return TaskFailedError(
        f"The {what} {_exit_description(status)}: {last_line(log) or 'it said nothing'}",
        hint=f"cat {log}",
    )


def _exit_description(status: int) -> str:
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"exited {status}"
