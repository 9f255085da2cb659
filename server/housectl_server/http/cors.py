"""Cross-origin resource sharing: which web pages of other origins may send requests."""

import re
from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from housectl_server.http.answer_headers import MODEL_VERSION, REQUEST_ID, Header

_ALL = "*"
_PREFLIGHT_SECONDS = 600
_EXPOSED = (REQUEST_ID, MODEL_VERSION, b"x-model-digest", b"retry-after", b"www-authenticate")
_EXPOSED_NAMES = tuple(name.decode() for name in _EXPOSED)
_ORIGIN = re.compile(rb"\r\norigin:[ \t]*([!-~]+)[ \t]*\r\n", re.IGNORECASE)


class CorsPolicy:
    """The origins whose web pages may send requests. Cookies are never allowed.

    Args:
        origins: Origins such as https://shop.example, or `*` for all; empty for none.
    """

    def __init__(self, origins: Sequence[str] = ()) -> None:
        self._origins = frozenset(origins)

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return an application that answers preflight requests, and adds headers to answers."""
        if not self._origins:
            return app
        return CORSMiddleware(
            app,
            allow_origins=sorted(self._origins),
            allow_methods=("GET", "POST"),
            allow_headers=("*",),
            expose_headers=_EXPOSED_NAMES,
            max_age=_PREFLIGHT_SECONDS,
        )

    def headers_of(self, request: bytes) -> Sequence[Header]:
        """Return the headers of an answer that the server gives without the application.

        Args:
            request: The request as it was received.
        """
        origin = _ORIGIN.search(request) if self._origins else None
        if origin is None:
            return ()
        exposed = (b"access-control-expose-headers", b", ".join(_EXPOSED))
        if _ALL in self._origins:
            return ((b"access-control-allow-origin", b"*"), exposed)
        if origin[1].decode() not in self._origins:
            return ((b"vary", b"Origin"),)
        return ((b"access-control-allow-origin", origin[1]), exposed, (b"vary", b"Origin"))
