"""A limit of the rate of requests, so that no search of any width overloads the API server."""

import time
from threading import Lock


class RateLimit:
    """A token bucket, which several threads may use.

    Args:
        per_second: Number of requests in a second.
        burst: Number of requests that may come at once after a pause.
    """

    def __init__(self, *, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens = float(burst)
        self._updated = time.monotonic()
        self._lock = Lock()

    def wait(self) -> None:
        """Return when the next request may be sent."""
        time.sleep(self._reserve())

    def _reserve(self) -> float:
        """Take a token, and return the seconds until it is valid."""
        with self._lock:
            now = time.monotonic()
            added = (now - self._updated) * self._per_second
            self._tokens = min(self._burst, self._tokens + added) - 1
            self._updated = now
            return max(0.0, -self._tokens / self._per_second)
