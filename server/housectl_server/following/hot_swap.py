"""The hot swap: hands each request to the application that serves at that moment."""

from collections.abc import Awaitable
from dataclasses import replace

from starlette.types import Receive, Scope, Send

from housectl_server.app import create_app, create_unready_app
from housectl_server.endpoints.prediction_thread import PredictionThread
from housectl_server.following.canary_app import CanaryApp
from housectl_server.following.memory import release_freed_memory
from housectl_server.http.answer_headers import ANSWER_HEADERS
from housectl_server.monitoring.monitor import Monitor
from housectl_server.state import Champion, ServingState, ServingStatus, worker_state
from housectl_server.versions.side_versions import SideVersions
from housectl_server.worker_states import WorkerStates

_NO_CHAMPION_REASON = "No model has been promoted yet."
_NO_VERSIONS = SideVersions()


class HotSwapApp:
    """ASGI application that serves the current champion.

    A request that has started finishes on the application that it started on.

    Args:
        monitor: Counts the predictions of the served model.
        workers: States of all workers of the server; None in a server of one process.
        versions: Versions that run beside the champion.

    Attributes:
        state: Replaced as a whole, so any thread may read it at any time.
    """

    def __init__(
        self,
        monitor: Monitor,
        workers: WorkerStates | None = None,
        versions: SideVersions = _NO_VERSIONS,
    ) -> None:
        unready_app = create_unready_app(lambda: self.state, monitor)
        self._monitor = monitor
        self._thread = PredictionThread()
        self._workers = workers
        self._versions = versions
        self._canary_app = self._create_canary_app()
        self.switch(ServingState(app=unready_app, reason=_NO_CHAMPION_REASON))

    # Returns the coroutine of the application: one of its own would slow down each request.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one HTTP request."""
        state = self.state
        canary_app = self._canary_app
        if canary_app and canary_app.takes(scope):
            return canary_app(scope, receive, send)
        scope[ANSWER_HEADERS] += state.headers
        return state.app(scope, receive, send)

    def prepare(self, champion: Champion) -> ServingState:
        """Return a state that serves another champion; any thread may prepare it."""
        app = create_app(champion.model, lambda: self.state, self._monitor, self._thread)
        release_freed_memory()
        return ServingState(app=app, champion=champion)

    def recovered(self) -> ServingState:
        """Return the state in which the served model is the newest champion again."""
        reason = None if self.state.champion else _NO_CHAMPION_REASON
        return replace(self.state, reason=reason)

    def switch(self, state: ServingState) -> None:
        """Serve another state from the next request."""
        self.state = replace(state, workers=self._workers, versions=self._versions)
        self._follow(self.state.champion)
        self._monitor.set_degraded(degraded=self.state.status is ServingStatus.DEGRADED)
        if self.state.champion:
            self._monitor.serve(self.state.champion.counts)
        if self._workers:
            self._workers.publish(worker_state(self.state))

    def _follow(self, champion: Champion | None) -> None:
        """Let shadow and canary run beside another champion."""
        if champion:
            self._versions.follow(champion.model.bundle, champion.counts)
        else:
            self._versions.follow(None, None)

    def _create_canary_app(self) -> CanaryApp | None:
        canary = self._versions.canary
        if canary is None:
            return None
        app = create_app(canary.model, lambda: self.state, self._monitor, self._thread)
        return CanaryApp(canary, app)

    def close(self) -> None:
        """End the comparison with a shadow."""
        self._versions.close()

    def reject(self, reason: str) -> None:
        """Keep the served model, and record the reason why a newer champion is not served."""
        self.switch(replace(self.state, reason=reason))
