"""Results of threads in an event loop."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

_Result = TypeVar("_Result")


def awaitable(future: "Future[_Result]") -> "asyncio.Future[_Result]":
    """Return a future of the running event loop that gets the result of a thread's future."""
    loop = asyncio.get_running_loop()
    target: asyncio.Future[_Result] = loop.create_future()

    def copy() -> None:
        if target.cancelled():
            return
        if error := future.exception():
            target.set_exception(error)
        else:
            target.set_result(future.result())

    def notify(_: "Future[_Result]") -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(copy)

    future.add_done_callback(notify)
    return target
