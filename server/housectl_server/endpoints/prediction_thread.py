"""The thread of a process that predicts tables, while the event loop answers other requests."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TypeVar

from starlette.exceptions import HTTPException

MAX_WAITING_BYTES = 64 * 1024 * 1024
MAX_WAITING_SECONDS = 5.0

T = TypeVar("T")


class PredictionThread:
    """Runs jobs one after another. The waiting jobs are limited in size, and each in its time."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="predictions")
        self._waiting_bytes = 0

    async def run(self, job: Callable[[], T], *, size: int) -> T:
        """Return the result of a job.

        Args:
            job: Computes the result; its errors are raised here.
            size: Size in bytes of the request that waits for it.

        Raises:
            HTTPException: Too many requests wait, or this one has waited for too long (503).
        """
        if self._waiting_bytes + size > MAX_WAITING_BYTES:
            raise _busy_error()
        self._waiting_bytes += size
        try:
            loop = asyncio.get_running_loop()
            latest_start = time.monotonic() + MAX_WAITING_SECONDS
            return await loop.run_in_executor(self._executor, _run_in_time, job, latest_start)
        finally:
            self._waiting_bytes -= size


def _run_in_time(job: Callable[[], T], latest_start: float) -> T:
    if time.monotonic() > latest_start:
        raise _busy_error()
    return job()


def _busy_error() -> HTTPException:
    return HTTPException(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Too many batches wait for their predictions; repeat the request later.",
        headers={"Retry-After": "1"},
    )
