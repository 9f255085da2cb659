"""API keys: requests without a valid key are refused. Probes of the server's health need none."""

import binascii
import logging
import time
from base64 import b64decode
from collections.abc import Awaitable, Sequence
from hashlib import sha256
from hmac import compare_digest
from http import HTTPStatus
from pathlib import Path
from threading import Thread

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from housectl.contract.api_keys import ApiKey, read_keys
from housectl.errors import UsageError
from housectl_server.http.answer_headers import API_KEY_NAME
from housectl_server.http.problems import problem_response

API_KEY_HEADER = "X-API-Key"
API_KEY_SCHEMES = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": API_KEY_HEADER},
    "BearerKey": {"type": "http", "scheme": "bearer"},
    "PasswordKey": {"type": "http", "scheme": "basic", "description": "The password is the key."},
}
"""Forms of a key, as OpenAPI describes them."""

_CHECK_SECONDS = 1.0
# Whole paths: the routes of a prefix could change, and would be open to all.
_OPEN_PATHS = frozenset(
    {"/health", "/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"}
)
_KEY_HEADER = API_KEY_HEADER.lower().encode()
_HINT = f"Send it in the header `Authorization: Bearer KEY` or `{API_KEY_HEADER}: KEY`."

_log = logging.getLogger(__name__)


class ApiKeys:
    """The keys of a file, which is read again when it changes.

    If the file becomes invalid or disappears, the previous keys stay valid.

    Args:
        path: The file.

    Raises:
        UsageError: The file cannot be read, or is invalid.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._error: str | None = None
        self._identity = self._read_identity()
        self._keys = read_keys(path)

    def name_of(self, key: bytes) -> str | None:
        """Return the name of a key; None for an unknown one. The time is the same for any key."""
        digest = sha256(key).hexdigest()
        matching = [each.name for each in self._keys if compare_digest(each.digest, digest)]
        return matching[0] if matching else None

    def follow(self) -> None:
        """Start to read the file whenever it changes, until the process ends."""
        # A network drive can hang, and a daemon thread delays neither requests nor the end.
        Thread(target=self._follow, name="API keys", daemon=True).start()

    def _follow(self) -> None:
        while True:
            time.sleep(_CHECK_SECONDS)
            self._update()

    def _update(self) -> None:
        identity = self._read_identity()
        # An error is tried again, because permissions change without a change of the file.
        if identity == self._identity and self._error is None:
            return
        try:
            keys = read_keys(self._path)
        except UsageError as error:
            if error.message != self._error:
                _log.error("%s The previous keys stay valid. Hint: %s", error, error.hint)
            self._error = error.message
            return
        _log.info("the file of API keys changed: %s", _difference(self._keys, keys))
        self._identity, self._error = identity, None
        self._keys = keys

    def _read_identity(self) -> tuple[int, ...] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


class ApiKeyMiddleware:
    """ASGI application that refuses requests without a valid key.

    Args:
        app: Answers the other requests.
        keys: The valid keys.
    """

    def __init__(self, app: ASGIApp, keys: ApiKeys) -> None:
        self._app = app
        self._keys = keys

    # Returns the coroutine of the application, as HotSwapApp does.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        if scope["path"] in _OPEN_PATHS:
            return self._app(scope, receive, send)
        key = _key_of(scope)
        name = None if key is None else self._keys.name_of(key)
        if name is None:
            return problem_response(scope, _refusal(scope, key))(scope, receive, send)
        scope[API_KEY_NAME] = name
        return self._app(scope, receive, send)


def _key_of(scope: Scope) -> bytes | None:
    """Return the key in a request's headers, if any. A browser sends it as a password."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    if key := headers.get(_KEY_HEADER, b"").strip():
        return key
    scheme, _, credentials = headers.get(b"authorization", b"").partition(b" ")
    match scheme.lower():
        case b"bearer":
            return credentials.strip() or None
        case b"basic":
            return _password(credentials) or None
    return None


def _password(credentials: bytes) -> bytes | None:
    """Return the password in the credentials of RFC 7617; None if they are invalid."""
    try:
        return b64decode(credentials.strip(), validate=True).partition(b":")[2]
    except binascii.Error:
        return None


def _refusal(scope: Scope, key: bytes | None) -> HTTPException:
    problem = "requires an API key" if key is None else "does not know this API key"
    return HTTPException(
        HTTPStatus.UNAUTHORIZED,
        f"The server {problem}. {_HINT}",
        {"WWW-Authenticate": f'{_challenge(scope)} realm="housectl"'},
    )


def _challenge(scope: Scope) -> str:
    """Return the scheme of the challenge. At `Basic`, a browser asks its user for a password."""
    accepted = dict(scope["headers"]).get(b"accept", b"")
    return "Basic" if b"text/html" in accepted else "Bearer"


def _difference(old: Sequence[ApiKey], new: Sequence[ApiKey]) -> str:
    """Return the names of the keys that only one of two files has."""
    added = sorted(key.name for key in set(new) - set(old))
    removed = sorted(key.name for key in set(old) - set(new))
    texts = [
        f"{verb} {', '.join(names)}"
        for verb, names in (("added", added), ("removed", removed))
        if names
    ]
    return "; ".join(texts) or "the same keys"
