"""The server's command line: `HOUSECTL_STORE=STORE python -m housectl_server --host H --port P`."""

import asyncio
import logging
import signal
import socket
import sys
from functools import partial
from typing import NoReturn

import uvicorn

from housectl.deadline import call_in_thread
from housectl.errors import ExitStatus, HousectlError
from housectl.store.address import StoreAddress
from housectl.store.base import ChampionStore
from housectl.store.factory import open_store
from housectl_server.following.hot_swap import HotSwapApp
from housectl_server.following.store_poller import StorePoller, load_champion
from housectl_server.http.answer_headers import AnswerHeadersMiddleware
from housectl_server.http.connections import ConnectionTable, LimitedProtocol
from housectl_server.http.sockets import bind_socket, raise_connection_limit
from housectl_server.logs import configure_logging, print_startup_error
from housectl_server.settings import default_poll_interval, read_settings

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
        address = StoreAddress.parse(settings.store)
        store = open_store(address, cache=None)
        hot_swap = _load_initial_model(store)
        listener = bind_socket(settings.host, settings.port)
    except HousectlError as error:
        print_startup_error(error, as_json=settings.as_json)
        return error.status
    _log_start(hot_swap, listener)
    interval = settings.poll_interval or default_poll_interval(address)
    return _serve(StorePoller(store, hot_swap, interval=interval), hot_swap, listener)


def _exit(*_: object) -> NoReturn:
    sys.exit(ExitStatus.OK)


def _load_initial_model(store: ChampionStore) -> HotSwapApp:
    """Load the champion in a thread, so that a signal ends the process while the store hangs."""
    hot_swap = HotSwapApp()

    def load() -> None:
        if history := store.history():
            hot_swap.switch(hot_swap.prepare(load_champion(store, history)))

    call_in_thread(load).result()
    return hot_swap


def _log_start(hot_swap: HotSwapApp, listener: socket.socket) -> None:
    host, port, *_ = listener.getsockname()
    _log.info(
        "listening on http://%s:%d with %s",
        f"[{host}]" if ":" in host else host,
        port,
        hot_swap.state.champion or "no champion yet",
    )


def _serve(poller: StorePoller, hot_swap: HotSwapApp, listener: socket.socket) -> int:
    table = ConnectionTable(
        capacity=raise_connection_limit(), get_model_headers=lambda: hot_swap.state.headers
    )
    config = uvicorn.Config(
        AnswerHeadersMiddleware(hot_swap),
        # uvicorn only calls it, with the arguments of its own protocols.
        http=partial(LimitedProtocol, table=table),  # type: ignore[arg-type]
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        ws="none",
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve_and_watch(uvicorn.Server(config), poller, table, listener))
    return ExitStatus.OK


async def _serve_and_watch(
    server: uvicorn.Server, poller: StorePoller, table: ConnectionTable, listener: socket.socket
) -> None:
    """Serve, and meanwhile poll the store and close connections whose time is over."""
    tasks = [
        asyncio.create_task(watch) for watch in (poller.run(), table.close_expired_connections())
    ]
    try:
        await server.serve(sockets=[listener])
    finally:
        for task in tasks:
            task.cancel()


if __name__ == "__main__":
    sys.exit(main())
