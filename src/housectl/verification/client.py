"""Asking a server that may be any: whatever it does becomes an answer."""

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

JSON = "application/json"
PROBLEM = "application/problem+json"

_TIMEOUT_SECONDS = 10.0
_SHOWN_CHARACTERS = 120


@dataclass(frozen=True)
class Response:
    """What came back; without a status nothing did, and the text says why."""

    status: int | None
    media_type: str
    text: str

    def content(self) -> object:
        """Return the JSON value of the body, numbers as floats; None when it is something else."""
        try:
            value: object = json.loads(self.text, parse_int=float)
        except (ValueError, RecursionError):
            return None
        return value

    def json_path(self, *path: str) -> object:
        """Return what lies at a path of keys in the body's JSON; None when nothing does."""
        value = self.content()
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def __str__(self) -> str:
        if self.status is None:
            return f"no answer: {self.text}"
        detail = self.json_path("detail")
        shown = shorten(
            detail if isinstance(detail, str) else self.text, _SHOWN_CHARACTERS, placeholder=" …"
        )
        # A problem is what is hoped for, so its type is not worth the room.
        kind = "" if self.media_type == PROBLEM else f" {self.media_type}"
        return f"{self.status}{kind} {shown}".rstrip()


class ServerClient:
    """A server that may be any: whatever it does becomes an answer."""

    def __init__(self, client: "httpx.Client") -> None:
        self._client = client

    def get(self, path: str) -> Response:
        """Read a path."""
        return self._ask("GET", path)

    def predict(self, body: bytes) -> Response:
        """Ask for a prediction."""
        return self._ask("POST", "/predict", body)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Response:
        import httpx

        try:
            response = self._client.request(method, path, content=body)
        except httpx.RequestError as error:
            return Response(None, "", str(error) or type(error).__name__)
        media_type = response.headers.get("content-type", "").partition(";")[0].strip()
        return Response(response.status_code, media_type, response.text)


@contextmanager
def connect(url: str) -> Iterator[ServerClient]:
    """Yield the server at a URL, over one connection that is kept.

    Raises:
        UsageError: The URL is none.
    """
    import httpx

    try:
        client = httpx.Client(
            base_url=url,
            timeout=_TIMEOUT_SECONDS,
            headers={"content-type": JSON},
            trust_env=not _is_loopback(url),
        )
    except (httpx.InvalidURL, ValueError) as error:
        raise UsageError(
            f"{url!r} is no URL: {error}.", hint="housectl verify --url http://127.0.0.1:8005"
        ) from error
    with client:
        yield ServerClient(client)


def _is_loopback(url: str) -> bool:
    """Say whether no proxy can be meant: many environments set one without exceptions."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
