"""The trainer's processes: the pool that runs trials, and the process of a task."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from select import select
from shlex import quote
from subprocess import DEVNULL, PIPE, STDOUT, Popen
from typing import IO, NoReturn, cast

from housectl.contract.disks import describe_if_full
from housectl.contract.pool_protocol import TrialRequest, TrialResult
from housectl.contract.record import canonical_json
from housectl.errors import TaskFailedError
from housectl.python_process import isolated_environment

_CHUNK = 65536
_ORPHAN_SECONDS = 30.0


class PoolCrashedError(Exception):
    """The pool ended although its inputs were valid, for instance by a kill."""


class TrainerPool:
    """The trainer's fork server.

    Args:
        arguments: The arguments of `python`.
        log: File for the pool's own lines; trials have their own logs.
    """

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self._log = log
        # Pool and workers inherit the other end, so the pipe ends with the last one of them.
        reader, inherited = os.pipe()
        self._all_processes = os.fdopen(reader, "rb")
        with log.open("wb") as file, os.fdopen(inherited, "wb"):
            self._process = Popen(
                (sys.executable, *arguments),
                stdin=PIPE,
                stdout=PIPE,
                stderr=file,
                process_group=0,
                pass_fds=(inherited,),
            )
        self._requests = cast("IO[bytes]", self._process.stdin)
        self._results = cast("IO[bytes]", self._process.stdout)
        self._unread = b""

    def send(self, request: TrialRequest) -> None:
        """Start a trial. If the pool is dead, `next_result` raises the error."""
        with suppress(BrokenPipeError):
            os.write(self._requests.fileno(), canonical_json(request) + b"\n")

    def next_result(self) -> TrialResult:
        """Wait until any trial has ended, and return its result.

        Raises:
            PoolCrashedError: The pool was killed.
            TaskFailedError: The pool rejected its inputs.
        """
        while b"\n" not in self._unread:
            chunk = os.read(self._results.fileno(), _CHUNK)
            if not chunk:
                self._raise_exit()
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return TrialResult.from_json(line)

    @property
    def has_result(self) -> bool:
        """True if `next_result` does not have to wait."""
        return b"\n" in self._unread or bool(select([self._results], [], [], 0)[0])

    def kill(self) -> None:
        """Kill the pool and its trials. Idempotent."""
        _kill(self._process)
        for pipe in (self._requests, self._results, self._all_processes):
            pipe.close()

    def _raise_exit(self) -> NoReturn:
        status = self._process.wait()
        # The workers of a killed pool end a moment later, and one may be writing its output.
        select([self._all_processes], [], [], _ORPHAN_SECONDS)
        self.kill()
        if status > 0:
            raise _trainer_error("trainer's pool", status, self._log)
        raise PoolCrashedError(_exit_description(status))


def run_task(arguments: Sequence[str], log: Path, *, python: str | None) -> None:
    """Run the trainer once, to its end.

    Args:
        arguments: The arguments of `python`.
        log: File for all of its lines.
        python: Path of another Python than housectl's own, which has its own modules.

    Raises:
        TaskFailedError: The trainer failed.
    """
    with log.open("wb") as file:
        process = Popen(
            (python or sys.executable, *arguments),
            env=isolated_environment() if python else None,
            stdin=DEVNULL,
            stdout=file,
            stderr=STDOUT,
            process_group=0,
        )
    try:
        if process.wait() != 0:
            raise _trainer_error("trainer", process.returncode, log)
    finally:
        _kill(process)


def last_log_line(log: Path) -> str:
    """Return the last line of a log that is not blank, or an empty text."""
    text = log.read_text(errors="replace").strip() if log.exists() else ""
    return text.rpartition("\n")[2].removeprefix("error: ")


def _kill(process: "Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _trainer_error(process_name: str, status: int, log: Path) -> TaskFailedError:
    cause = last_log_line(log) or describe_if_full(log.parent) or "no output"
    return TaskFailedError(
        f"The {process_name} {_exit_description(status)}: {cause}",
        hint=f"cat {quote(str(log))}",
    )


def _exit_description(status: int) -> str:
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"exited {status}"
