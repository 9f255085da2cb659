"""Polling for reactions of Katib's controller, which may not run at all."""

import time
from collections.abc import Callable

from housectl.errors import ClusterError

_POLL_INTERVAL_SECONDS = 0.3


def poll_until(done: Callable[[], bool], *, timeout: float, timeout_message: str) -> None:
    """Poll until a condition is true.

    Args:
        done: Returns True if the condition is true.
        timeout: In seconds.
        timeout_message: Message of the error after the timeout.

    Raises:
        ClusterError: The condition was not true within the timeout.
    """
    deadline = time.monotonic() + timeout
    while not done():
        if time.monotonic() > deadline:
            raise ClusterError(
                timeout_message, hint="housectl doctor   # checks that Katib's controller runs"
            )
        time.sleep(_POLL_INTERVAL_SECONDS)
