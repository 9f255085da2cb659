"""HTTP client for servers of any kind, which may be slow, endless or hostile."""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from textwrap import shorten
from typing import TYPE_CHECKING

from housectl.deadline import Deadline
from housectl.errors import UsageError
from housectl.http_clients import check_credential, check_port, failure_cause, is_loopback
from housectl.verification.limits import Limits
from housectl.verification.outcome import Outcome

if TYPE_CHECKING:
    import ssl

    import httpx

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"
DIGEST_HEADER = "x-model-digest"
KEY_VARIABLE = "HOUSECTL_API_KEY"

_CONNECTIONS = 4
_MAX_SHOWN_LENGTH = 120
_MAX_KEY_LENGTH = 512
# A server must not answer verification better than other clients, so the requests look like theirs.
_USER_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "okhttp/4.12.0",
    "python-requests/2.32.4",
)


@dataclass(frozen=True, kw_only=True)
class Response:
    """The answer of a server, or the reason why there is no usable one.

    Attributes:
        status: HTTP status; None without a usable answer.
        digest: Digest of the model that the answer names; None if it names none.
        delivery: PASSED for a complete answer, otherwise the kind of failure.
    """

    status: int | None
    media_type: str = ""
    text: str
    digest: str | None = None
    delivery: Outcome = Outcome.PASSED

    def content(self) -> object:
        """Return the JSON value of the body, with numbers as floats; None if it is not JSON."""
        try:
            value: object = json.loads(self.text, parse_int=float)
        except (ValueError, RecursionError):
            return None
        return value

    def json_path(self, *path: str | int) -> object:
        """Return the value at a path of keys and indices in the body's JSON; None without one."""
        value = self.content()
        for key in path:
            if isinstance(key, int):
                value = value[key] if isinstance(value, list) and key < len(value) else None
            else:
                value = value.get(key) if isinstance(value, dict) else None
        return value

    def __str__(self) -> str:
        if self.status is None:
            return f"no usable answer: {self.text}"
        detail = self.json_path("detail")
        shown = shorten(
            detail if isinstance(detail, str) else self.text, _MAX_SHOWN_LENGTH, placeholder=" …"
        )
        # A problem document is the expected type, so it is not shown.
        media_type = "" if self.media_type == PROBLEM_TYPE else f" {self.media_type}"
        return f"{self.status}{media_type} {shown}".rstrip()


class ServerClient:
    """HTTP client that returns failures as responses instead of raising.

    Each request goes over a random one of several connections.
    """

    def __init__(
        self, clients: "Sequence[httpx.AsyncClient]", limits: Limits, deadline: Deadline
    ) -> None:
        self._clients = clients
        self._limits = limits
        self._deadline = deadline
        self._random = random.SystemRandom()

    async def get(self, path: str) -> Response:
        """GET a path."""
        return await self._request(self._random.choice(self._clients), "GET", path)

    async def get_over_each_connection(self, path: str) -> list[Response]:
        """GET a path over each of the connections."""
        return [await self._request(client, "GET", path) for client in self._clients]

    async def post(self, path: str, body: bytes) -> Response:
        """POST a body to a path."""
        return await self._request(self._random.choice(self._clients), "POST", path, body)

    async def _request(
        self, client: "httpx.AsyncClient", method: str, path: str, body: bytes | None = None
    ) -> Response:
        import httpx

        remaining = self._deadline.remaining()
        seconds = min(self._limits.request_seconds, remaining)
        if not remaining:
            return _unproven(
                f"the time for the verification is over ({self._limits.run_seconds:g} s)"
            )
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(client, method, path, body)
        except TimeoutError:
            return _unproven(f"the answer is incomplete after {seconds:.3g} s")
        except httpx.RequestError as error:
            return Response(status=None, text=failure_cause(error), delivery=Outcome.UNREACHABLE)

    async def _exchange(
        self, client: "httpx.AsyncClient", method: str, path: str, body: bytes | None
    ) -> Response:
        agent = {"user-agent": self._random.choice(_USER_AGENTS)}
        async with client.stream(method, path, content=body, headers=agent) as response:
            if response.status_code == HTTPStatus.UNAUTHORIZED:
                raise _key_error(client)
            encoding = response.headers.get("content-encoding", "identity")[:_MAX_SHOWN_LENGTH]
            if encoding != "identity":
                return _unproven(f"the answer is compressed with {encoding}, unrequested")
            content = bytearray()
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > self._limits.answer_bytes:
                    return _unproven(f"the answer is larger than {self._limits.answer_bytes} bytes")
            return _complete(response.status_code, response.headers, content)


def _complete(status: int, headers: Mapping[str, str], content: bytearray) -> Response:
    return Response(
        status=status,
        media_type=headers.get("content-type", "").partition(";")[0].strip()[:_MAX_SHOWN_LENGTH],
        text=content.decode("utf-8", "replace"),
        digest=headers.get(DIGEST_HEADER),
    )


def _key_error(client: "httpx.AsyncClient") -> UsageError:
    has_key = "x-api-key" in client.headers
    problem = f"rejects the API key in {KEY_VARIABLE}" if has_key else "requires an API key"
    return UsageError(
        f"The server at {client.base_url} {problem}.",
        hint=f"export {KEY_VARIABLE}=KEY   # `housectl keys add NAME` prints a new one",
    )


def _read_key() -> str | None:
    """Return the API key in the environment; None without one.

    Raises:
        UsageError: The key is too long, or is not one word of ASCII characters.
    """
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        return None
    return check_credential(
        key,
        f"API key in {KEY_VARIABLE}",
        max_length=_MAX_KEY_LENGTH,
        hint=f"unset {KEY_VARIABLE}",
    )


def _unproven(cause: str) -> Response:
    return Response(status=None, text=cause, delivery=Outcome.UNPROVEN)


@asynccontextmanager
async def connect(url: str, *, limits: Limits, deadline: Deadline) -> AsyncIterator[ServerClient]:
    """Yield a client for the server at a URL, with several persistent connections.

    The clients send the API key in HOUSECTL_API_KEY.

    Raises:
        UsageError: The URL or the API key is invalid, or the server rejects the key.
    """
    import httpx

    key = _read_key()
    try:
        check_port(url)
        tls = httpx.create_ssl_context()
        clients = [_client(url, tls, key) for _ in range(_CONNECTIONS)]
    except (httpx.InvalidURL, ValueError) as error:
        raise UsageError(
            f"The URL {url!r} is invalid: {error}.",
            hint="housectl verify --url http://127.0.0.1:8005",
        ) from error
    async with AsyncExitStack() as stack:
        for client in clients:
            await stack.enter_async_context(client)
        yield ServerClient(clients, limits, deadline)


def _client(url: str, tls: "ssl.SSLContext", key: str | None) -> "httpx.AsyncClient":
    """Return a client with one connection and without time limits, which the request has."""
    import httpx

    return httpx.AsyncClient(
        base_url=url,
        verify=tls,
        timeout=None,  # noqa: S113
        limits=httpx.Limits(max_connections=1),
        # A compressed answer of 1 MiB can have any size, so none is requested.
        headers={
            "content-type": JSON_TYPE,
            "accept-encoding": "identity",
            **({"x-api-key": key} if key else {}),
        },
        trust_env=not is_loopback(url),
    )
