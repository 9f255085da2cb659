"""Waiting for Katib's controller, which may not run at all."""

import time
from collections.abc import Callable

from housectl.errors import ClusterError

_PAUSE = 0.3


def wait_until(done: Callable[[], bool], *, seconds: float, timeout_message: str) -> None:
    """Ask again and again until something is done.

    Args:
        done: Whether it is.
        seconds: For how long to ask.
        otherwise: What the controller has not done by then.

    Raises:
        ClusterError: The controller has not done it.
    """
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise ClusterError(
                timeout_message, hint="housectl doctor   # says whether Katib's controller runs"
            )
        time.sleep(_PAUSE)
