"""The server's command line: `HOUSECTL_STORE=DIR python -m housectl_server --host H --port P`."""

import asyncio
import logging
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

import uvicorn

from housectl.contract.history import newest_number
from housectl.errors import ExitStatus, HousectlError, LocalEnvironmentError
from housectl_server.hot_swap import HotSwapApp
from housectl_server.logs import configure_logging, print_startup_error
from housectl_server.request_id import RequestIdMiddleware
from housectl_server.settings import STORE_VARIABLE, Settings, read_settings
from housectl_server.sockets import bind_socket
from housectl_server.store_poller import StorePoller, load_champion

_GRACE_SECONDS = 10

_log = logging.getLogger(__name__)


def main() -> int:
    """Serve until a signal ends the process; return its exit status."""
    settings = read_settings()
    # Uvicorn shuts down gracefully on these, then raises them again for this handler.
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, _exit)
    configure_logging(as_json=settings.as_json)
    try:
        hot_swap = _load_initial_model(settings)
        listener = bind_socket(settings.host, settings.port)
    except HousectlError as error:
        print_startup_error(error, as_json=settings.as_json)
        return error.status
    _log_start(hot_swap, listener)
    return _serve(settings, hot_swap, listener)


def _exit(*_: object) -> NoReturn:
    sys.exit(ExitStatus.OK)


def _load_initial_model(settings: Settings) -> HotSwapApp:
    hot_swap = HotSwapApp()
    if number := _newest_number(settings.store):
        hot_swap.swap(load_champion(settings.store, number))
    return hot_swap


def _newest_number(store: Path) -> int:
    try:
        return newest_number(store)
    except OSError as error:
        raise LocalEnvironmentError(
            f"The store {store} cannot be read: {error.strerror}.",
            hint=f"ls -ld {store}   # or set {STORE_VARIABLE} to another directory",
        ) from error


def _log_start(hot_swap: HotSwapApp, listener: socket.socket) -> None:
    host, port, *_ = listener.getsockname()
    _log.info(
        "listening on http://%s:%d with %s",
        f"[{host}]" if ":" in host else host,
        port,
        hot_swap.state.champion or "no champion yet",
    )


def _serve(settings: Settings, hot_swap: HotSwapApp, listener: socket.socket) -> int:
    config = uvicorn.Config(
        RequestIdMiddleware(hot_swap),
        lifespan="off",
        ws="none",
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        poller = StorePoller(settings.store, hot_swap)
        runner.run(_serve_and_poll(uvicorn.Server(config), poller, listener))
    return ExitStatus.OK


async def _serve_and_poll(
    server: uvicorn.Server, poller: StorePoller, listener: socket.socket
) -> None:
    polling = asyncio.create_task(poller.run())
    try:
        await server.serve(sockets=[listener])
    finally:
        polling.cancel()


if __name__ == "__main__":
    sys.exit(main())
