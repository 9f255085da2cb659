"""The root path: the prefix of all paths behind a proxy."""

import re
from collections.abc import Awaitable
from http import HTTPStatus

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class RootPathMiddleware:
    """ASGI application that removes the root path, which only some proxies do.

    Args:
        app: Answers the requests.
        root_path: Prefix of all paths, without a slash at its end.
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app = app
        self._root_path = root_path
        self._prefix = f"{root_path}/"
        # Starlette removes a root path, too. If a repetition were left, the router would see
        # another path than the check of API keys.
        self._repetitions = re.compile(rf"\A(?:{re.escape(root_path)})+(?=/)")

    # Returns the coroutine of the application, as HotSwapApp does.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        path = self._repetitions.sub("", scope["path"])
        if path == self._root_path:
            # The page has relative URLs.
            redirect = RedirectResponse(self._prefix, HTTPStatus.PERMANENT_REDIRECT)
            return redirect(scope, receive, send)
        scope["path"], scope["root_path"] = path, self._root_path
        return self._app(scope, receive, send)
