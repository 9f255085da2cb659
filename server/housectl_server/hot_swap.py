"""The ASGI entry: hands each request to the application that serves at that moment."""

from dataclasses import replace

from starlette.types import Receive, Scope, Send

from housectl_server.app import create_app, create_unready_app
from housectl_server.fast_path import PredictFastPath
from housectl_server.request_id import add_request_id
from housectl_server.state import Champion, ServingState

_NOTHING_PROMOTED = "no model has been promoted yet."


class HotSwapApp:
    """Where the champion stands. Requests in flight finish on the application they began with.

    Attributes:
        standing: Replaced as a whole, so that any thread may read it and the follower's may swap.
    """

    def __init__(self) -> None:
        waiting = add_request_id(create_unready_app(lambda: self.state))
        self.state = ServingState(app=waiting, reason=_NOTHING_PROMOTED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        await self.state.app(scope, receive, send)

    def swap(self, champion: Champion) -> None:
        """Answer with this champion from now on."""
        app = add_request_id(create_app(champion.model, lambda: self.state))
        self.state = ServingState(app=PredictFastPath(app, champion.model), champion=champion)

    def reject(self, reason: str) -> None:
        """Keep what is served, and say why nothing newer is."""
        self.state = replace(self.state, reason=reason)

    def recover(self) -> None:
        """Say that what is served is the newest after all."""
        reason = None if self.state.champion else _NOTHING_PROMOTED
        self.state = replace(self.state, reason=reason)
