"""Deadlines: moments on the monotonic clock, and calls that end at one whatever happens.

Calls run in daemon threads, because an executor's threads are joined at exit: a call that never
returns would keep the process alive.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import TypeVar

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Return the deadline after this number of seconds."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Return the seconds until the deadline; 0 after it."""
        return max(0.0, self.at - time.monotonic())


def call_in_thread(function: Callable[[], _Result]) -> "Future[_Result]":
    """Start a call in a daemon thread, and return its future."""
    future: Future[_Result] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001  # the future raises it in the caller's thread
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def call_until(deadline: Deadline, function: Callable[[], _Result]) -> _Result:
    """Return the result of a call, which runs in a daemon thread.

    The thread is abandoned at the deadline. Neither a name server nor a slow server can delay the
    caller, or the end of the process.

    Raises:
        TimeoutError: The call has not ended at the deadline.
    """
    return call_in_thread(function).result(timeout=deadline.remaining())
