"""Waiting for Katib's controller, which may not run at all."""

import time
from collections.abc import Callable

from housectl.errors import ClusterError

_PAUSE = 0.3


def wait_until(
    done: Callable[[], bool], *, seconds: float, otherwise: Callable[[], str | None]
) -> None:
    """Ask again and again until something is done.

    Args:
        done: Whether it is.
        seconds: For how long to ask.
        otherwise: Says what the controller has not done by then; None to let that pass.

    Raises:
        ClusterError: The controller has not done it.
    """
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            if complaint := otherwise():
                raise ClusterError(
                    complaint, hint="housectl doctor   # says whether Katib's controller runs"
                )
            return
        time.sleep(_PAUSE)
