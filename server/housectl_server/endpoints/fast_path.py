"""The fast path of predictions: past the layers of FastAPI, which take longer than a prediction."""

from collections.abc import Awaitable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from housectl_server.http.handlers import HANDLER


class PredictFastPath:
    """ASGI application that sends predictions to their endpoints, and other requests to FastAPI.

    Args:
        endpoints: By path, the template of the path and the answers to POST.
        app: Answers every other request.
    """

    def __init__(self, endpoints: Mapping[str, tuple[str, ASGIApp]], app: ASGIApp) -> None:
        self._endpoints = endpoints
        self._app = app

    # Returns the coroutine of the chosen application, as HotSwapApp does.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        found = self._endpoints.get(scope["path"])
        if found and scope["method"] == "POST":
            scope[HANDLER], endpoint = found
            return endpoint(scope, receive, send)
        return self._app(scope, receive, send)
