"""The hot swap: hands each request to the application that serves at that moment."""

from collections.abc import Awaitable
from dataclasses import replace

from starlette.types import Receive, Scope, Send

from housectl_server.app import create_app, create_unready_app
from housectl_server.http.answer_headers import ANSWER_HEADERS
from housectl_server.state import Champion, ServingState

_NO_CHAMPION_REASON = "No model has been promoted yet."


class HotSwapApp:
    """ASGI application that serves the current champion.

    A request that has started finishes on the application that it started on.

    Attributes:
        state: Replaced as a whole, so any thread may read it at any time.
    """

    def __init__(self) -> None:
        unready_app = create_unready_app(lambda: self.state)
        self.state = ServingState(app=unready_app, reason=_NO_CHAMPION_REASON)

    # Returns the coroutine of the application: one of its own would slow down each request.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one HTTP request."""
        state = self.state
        scope[ANSWER_HEADERS] += state.headers
        return state.app(scope, receive, send)

    def prepare(self, champion: Champion) -> ServingState:
        """Return a state that serves another champion; any thread may prepare it."""
        app = create_app(champion.model, lambda: self.state)
        return ServingState(app=app, champion=champion)

    def recovered(self) -> ServingState:
        """Return the state in which the served model is the newest champion again."""
        reason = None if self.state.champion else _NO_CHAMPION_REASON
        return replace(self.state, reason=reason)

    def switch(self, state: ServingState) -> None:
        """Serve another state from the next request."""
        self.state = state

    def reject(self, reason: str) -> None:
        """Keep the served model, and record the reason why a newer champion is not served."""
        self.state = replace(self.state, reason=reason)
