"""The ASGI entry: hands each request to the application that serves at that moment."""

from dataclasses import replace

from starlette.types import Receive, Scope, Send

from housectl_server.app import application, waiting_application
from housectl_server.fast_path import Shortcut
from housectl_server.request_id import telling_id
from housectl_server.state import Champion, Standing

_NOTHING_PROMOTED = "no model has been promoted yet."


class Stage:
    """Where the champion stands. Requests in flight finish on the application they began with.

    Attributes:
        standing: Replaced as a whole, so that any thread may read it and the follower's may swap.
    """

    def __init__(self) -> None:
        waiting = telling_id(waiting_application(lambda: self.standing))
        self.standing = Standing(app=waiting, reason=_NOTHING_PROMOTED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        await self.standing.app(scope, receive, send)

    def swap(self, champion: Champion) -> None:
        """Answer with this champion from now on."""
        app = telling_id(application(champion.model, lambda: self.standing))
        self.standing = Standing(app=Shortcut(app, champion.model), champion=champion)

    def refuse(self, reason: str) -> None:
        """Keep what is served, and say why nothing newer is."""
        self.standing = replace(self.standing, reason=reason)

    def recover(self) -> None:
        """Say that what is served is the newest after all."""
        reason = None if self.standing.champion else _NOTHING_PROMOTED
        self.standing = replace(self.standing, reason=reason)
