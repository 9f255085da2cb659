"""The fast path of predictions: past the layers of FastAPI, which take longer than a prediction."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from housectl_server.endpoints.predict import PREDICT_PATH


class PredictFastPath:
    """ASGI application that sends predictions to their endpoint, and other requests to FastAPI.

    Args:
        endpoint: Answers `POST /predict`.
        app: Answers every other request.
    """

    def __init__(self, endpoint: ASGIApp, app: ASGIApp) -> None:
        self._endpoint = endpoint
        self._app = app

    # Returns the coroutine of the chosen application, as HotSwapApp does.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        if scope["path"] == PREDICT_PATH and scope["method"] == "POST":
            return self._endpoint(scope, receive, send)
        return self._app(scope, receive, send)
