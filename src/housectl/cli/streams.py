"""Standard output and error: no closed pipe, full disk or encoding ends in a traceback."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from housectl import ExitStatus
from housectl.errors import LocalEnvironmentError


class _Output(io.TextIOWrapper):
    """A standard stream that shows characters outside its encoding as escape sequences."""

    def write(self, text: str, /) -> int:
        """Write text; return its length."""
        with self._failures_handled():
            super().write(text)
        return len(text)

    def flush(self) -> None:
        """Write buffered text."""
        with self._failures_handled():
            super().flush()

    @contextmanager
    def _failures_handled(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # Python flushes the stream once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            self.on_failure(error)

    def on_failure(self, error: OSError) -> None:
        """Continue, because messages are no result."""


class _ResultOutput(_Output):
    """Standard output, without which a command has no result."""

    def on_failure(self, error: OSError) -> None:
        """End the process.

        Raises:
            SystemExit: The reader of the pipe has ended.
            LocalEnvironmentError: The output cannot be written for another reason.
        """
        if isinstance(error, BrokenPipeError):
            sys.exit(ExitStatus.PIPE_CLOSED)
        raise LocalEnvironmentError(
            f"Cannot write to standard output: {error.strerror}.",
            hint="df -h   # the command is done, only its output is lost",
        ) from error


def prepare_streams() -> None:
    """Replace the standard streams of this process."""
    for descriptor in range(3):
        _open_unless_open(descriptor)
    sys.stdout = _replacement(sys.stdout, 1, _ResultOutput)
    sys.stderr = _replacement(sys.stderr, 2, _Output)


def _open_unless_open(descriptor: int) -> None:
    """Open /dev/null as a closed standard stream; otherwise a file would get its number."""
    try:
        os.fstat(descriptor)
    except OSError:
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003


def _replacement(stream: TextIO | None, descriptor: int, kind: type[_Output]) -> _Output:
    return kind(
        os.fdopen(descriptor, "wb", closefd=False),
        encoding=stream.encoding if stream else "utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )
