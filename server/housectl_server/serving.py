"""Serving in one process: loads the champion, follows the store, and serves on a socket."""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from housectl.deadline import call_in_thread
from housectl.store.address import StoreAddress
from housectl.store.factory import open_store
from housectl_server.endpoints.predict import PREDICT_PATH
from housectl_server.following.hot_swap import HotSwapApp
from housectl_server.following.store_poller import StorePoller, load_champion
from housectl_server.http.access_log import AccessLog
from housectl_server.http.admission import Admission
from housectl_server.http.answer_headers import AnswerHeadersMiddleware, RequestObserver
from housectl_server.http.api_keys import ApiKeyMiddleware, ApiKeys
from housectl_server.http.connections import ConnectionTable, LimitedProtocol
from housectl_server.http.cors import CorsPolicy
from housectl_server.http.draining import DrainingServer
from housectl_server.http.root_path import RootPathMiddleware
from housectl_server.http.sockets import raise_connection_limit
from housectl_server.http.tracing import create_tracer
from housectl_server.monitoring.monitor import Monitor
from housectl_server.monitoring.prediction_log import PredictionLog
from housectl_server.settings import Settings, default_poll_interval
from housectl_server.versions.side_versions import load_side_versions
from housectl_server.worker_states import WorkerStates

GRACE_SECONDS = 10


class ChampionServer:
    """A server that has loaded the champion, and has not begun to listen.

    Args:
        hot_swap: The application that serves the champion.
        poller: Follows the store.
        monitor: Counts requests and predictions.
        prediction_log: Logs the predictions; None to log nothing.
        keys: The valid API keys; None to require none.
        settings: Settings of the process.
    """

    def __init__(
        self,
        hot_swap: HotSwapApp,
        poller: StorePoller,
        monitor: Monitor,
        prediction_log: PredictionLog | None,
        keys: ApiKeys | None,
        *,
        settings: Settings,
    ) -> None:
        self._hot_swap = hot_swap
        self._poller = poller
        self._monitor = monitor
        self._prediction_log = prediction_log
        self._keys = keys
        self._settings = settings

    @property
    def champion(self) -> str:
        """Description of the served champion."""
        return str(self._hot_swap.state.champion or "no champion yet")

    def run(
        self,
        listener: socket.socket,
        *,
        owns_listener: bool,
        on_start: Callable[[], None] = lambda: None,
    ) -> None:
        """Serve until a signal, then answer the requests that have arrived.

        Args:
            listener: Bound socket.
            owns_listener: True if no other process has the socket, so connections that it has not
                accepted at the end are lost.
            on_start: Called when the server listens.
        """
        with self._open_logs() as observers:
            self._run(listener, observers, owns_listener=owns_listener, on_start=on_start)

    def _run(
        self,
        listener: socket.socket,
        observers: Sequence[RequestObserver],
        *,
        owns_listener: bool,
        on_start: Callable[[], None],
    ) -> None:
        record = self._monitor.requests.add
        settings, cors = self._settings, CorsPolicy(self._settings.cors_origins)
        champion = self._hot_swap.state.champion
        table = ConnectionTable(
            capacity=raise_connection_limit(),
            admission=Admission(
                objective=settings.objective_ms / 1000,
                row_seconds=champion.model.measure_row_seconds() if champion else 0.0,
                root_path=settings.root_path,
                on_refusal=partial(self._monitor.count_shed, "POST", PREDICT_PATH),
            ),
            get_model_headers=lambda: self._hot_swap.state.headers,
            cors=cors,
            record=record,
        )
        config = uvicorn.Config(
            AnswerHeadersMiddleware(
                cors.wrap(self._checked_app()), record=record, observers=observers
            ),
            # uvicorn only calls it, with the arguments of its own protocols.
            http=partial(LimitedProtocol, table=table),  # type: ignore[arg-type]
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            ws="none",
            access_log=False,
            log_config=None,
            log_level="warning",
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = DrainingServer(config, table, owns_listener=owns_listener, on_start=on_start)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            background = (
                self._poller.run(),
                table.close_expired_connections(),
                self._monitor.run(),
            )
            if self._keys:
                self._keys.follow()
            runner.run(_serve_and_watch(server, background, listener))
        self._hot_swap.close()

    def _checked_app(self) -> ASGIApp:
        """Return the application behind the check of API keys and without the root path."""
        app: ASGIApp = self._hot_swap
        if self._keys:
            app = ApiKeyMiddleware(app, self._keys)
        if self._settings.root_path:
            app = RootPathMiddleware(app, self._settings.root_path)
        return app

    @contextmanager
    def _open_logs(self) -> Iterator[Sequence[RequestObserver]]:
        """Yield the logs and traces of requests; write at the end what waits."""
        observers: list[RequestObserver] = []
        with ExitStack() as stack:
            if self._prediction_log:
                self._monitor.watch_log("prediction", self._prediction_log.writer)
                stack.callback(self._prediction_log.writer.close)
            if self._settings.access_log:
                access_log = AccessLog()
                self._monitor.watch_log("access", access_log.writer)
                stack.callback(access_log.writer.close)
                observers.append(access_log)
            if tracer := create_tracer():
                stack.callback(tracer.close)
                observers.append(tracer)
            yield observers


def load_server(
    settings: Settings, monitor: Monitor, workers: WorkerStates | None = None
) -> ChampionServer:
    """Load the champion of the store, and the versions that run beside it.

    A thread loads it, so that a signal ends the process while the store hangs.

    Args:
        settings: Settings of the process.
        monitor: Counts requests and predictions of the process.
        workers: States of all workers of the server; None in a server of one process.

    Raises:
        HousectlError: The store or the file of API keys is invalid or unavailable, or a model
            cannot be loaded.
    """
    keys = ApiKeys(settings.api_keys_file) if settings.api_keys_file else None
    address = StoreAddress.parse(settings.store)
    store = open_store(address, cache=None)
    path, sample = settings.prediction_log, settings.prediction_log_sample
    prediction_log = PredictionLog(path, sample=sample) if path else None

    def load() -> HotSwapApp:
        versions = load_side_versions(store, settings, prediction_log)
        monitor.watch(versions.shadow, versions.canary)
        hot_swap = HotSwapApp(monitor, workers, versions)
        if history := store.history():
            hot_swap.switch(hot_swap.prepare(load_champion(store, history, prediction_log)))
        else:
            versions.log()
        return hot_swap

    hot_swap = call_in_thread(load).result()
    interval = settings.poll_interval or default_poll_interval(address)
    poller = StorePoller(store, hot_swap, monitor, prediction_log, interval=interval)
    return ChampionServer(hot_swap, poller, monitor, prediction_log, keys, settings=settings)


async def _serve_and_watch(
    server: uvicorn.Server,
    background: Iterable[Coroutine[None, None, None]],
    listener: socket.socket,
) -> None:
    """Serve, and meanwhile run the coroutines."""
    tasks = [asyncio.create_task(each) for each in background]
    try:
        await server.serve(sockets=[listener])
    finally:
        for task in tasks:
            task.cancel()
