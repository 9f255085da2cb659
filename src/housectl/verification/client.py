"""HTTP client for servers of any kind."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from textwrap import shorten
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from housectl.errors import UsageError

if TYPE_CHECKING:
    import httpx

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"

_TIMEOUT_SECONDS = 10.0
_MAX_SHOWN_LENGTH = 120


@dataclass(frozen=True)
class Response:
    """The response of a server, or an error text without a status."""

    status: int | None
    media_type: str
    text: str

    def content(self) -> object:
        """Return the JSON value of the body, with numbers as floats; None if it is not JSON."""
        try:
            value: object = json.loads(self.text, parse_int=float)
        except (ValueError, RecursionError):
            return None
        return value

    def json_path(self, *path: str) -> object:
        """Return the value at a path of keys in the body's JSON; None if there is no value."""
        value = self.content()
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def __str__(self) -> str:
        if self.status is None:
            return f"no response: {self.text}"
        detail = self.json_path("detail")
        shown = shorten(
            detail if isinstance(detail, str) else self.text, _MAX_SHOWN_LENGTH, placeholder=" …"
        )
        # A problem document is the expected type, so it is not shown.
        media_type = "" if self.media_type == PROBLEM_TYPE else f" {self.media_type}"
        return f"{self.status}{media_type} {shown}".rstrip()


class ServerClient:
    """HTTP client that returns failures as responses instead of raising."""

    def __init__(self, client: "httpx.Client") -> None:
        self._client = client

    def get(self, path: str) -> Response:
        """GET a path."""
        return self._request("GET", path)

    def predict(self, body: bytes) -> Response:
        """POST a body to /predict."""
        return self._request("POST", "/predict", body)

    def _request(self, method: str, path: str, body: bytes | None = None) -> Response:
        import httpx

        try:
            response = self._client.request(method, path, content=body)
        except httpx.RequestError as error:
            return Response(None, "", str(error) or type(error).__name__)
        media_type = response.headers.get("content-type", "").partition(";")[0].strip()
        return Response(response.status_code, media_type, response.text)


@contextmanager
def connect(url: str) -> Iterator[ServerClient]:
    """Yield a client for the server at a URL, with one persistent connection.

    Raises:
        UsageError: The URL is invalid.
    """
    import httpx

    try:
        client = httpx.Client(
            base_url=url,
            timeout=_TIMEOUT_SECONDS,
            headers={"content-type": JSON_TYPE},
            trust_env=not _is_loopback(url),
        )
    except (httpx.InvalidURL, ValueError) as error:
        raise UsageError(
            f"The URL {url!r} is invalid: {error}.",
            hint="housectl verify --url http://127.0.0.1:8005",
        ) from error
    with client:
        yield ServerClient(client)


def _is_loopback(url: str) -> bool:
    """Return True for this machine's own addresses, which must not use a configured proxy."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
