"""Calls in daemon threads: neither a shutdown nor the end of the process waits for them.

An executor's threads are joined at exit, so a call that never returns would keep the process alive.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import TypeVar

_Result = TypeVar("_Result")


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
