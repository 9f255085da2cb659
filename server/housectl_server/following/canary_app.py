"""The application of a canary, which answers the predictions that its split chooses."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from housectl_server.endpoints.explain import EXPLAIN_PATH
from housectl_server.endpoints.inference.routes import infer_path
from housectl_server.endpoints.invocations import INVOCATIONS_PATH
from housectl_server.endpoints.predict import PREDICT_PATH
from housectl_server.http.answer_headers import ANSWER_HEADERS, EXTRA_RECORDER
from housectl_server.versions.canary import Canary

# A path with the version of the champion is always answered by the champion.
_PATHS = frozenset({PREDICT_PATH, INVOCATIONS_PATH, EXPLAIN_PATH, infer_path()})


class CanaryApp:
    """ASGI application of a canary.

    Args:
        canary: Chooses the requests, and counts them.
        app: Answers them.
    """

    def __init__(self, canary: Canary, app: ASGIApp) -> None:
        self._canary = canary
        self._app = app

    def takes(self, scope: Scope) -> bool:
        """Return True if the canary answers a request."""
        return (
            scope["path"] in _PATHS
            and scope["method"] == "POST"
            and self._canary.eligibility.is_active
            and self._canary.split.chooses(scope)
        )

    # Returns the coroutine of the application, as HotSwapApp does.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        scope[ANSWER_HEADERS] += self._canary.headers
        scope[EXTRA_RECORDER] = self._canary.record_request
        return self._app(scope, receive, send)
