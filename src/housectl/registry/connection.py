"""HTTP requests to a model registry: bounded in time and size, without redirects."""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING

from housectl.deadline import Deadline
from housectl.errors import LocalEnvironmentError, RegistryUnavailableError
from housectl.http_clients import failure_cause, is_loopback

if TYPE_CHECKING:
    import httpx

_REQUEST_SECONDS = 5.0
_MAX_ANSWER_BYTES = 8 * 2**20
_MAX_SHOWN_LENGTH = 200


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A complete answer.

    Attributes:
        request: Method and path of the request.
        location: Target of a redirect; empty without one.
    """

    request: str
    status: int
    location: str
    body: bytes

    @property
    def text(self) -> str:
        """The message of an error, or the start of the body."""
        text = self.body.decode("utf-8", "replace")
        message = _message(text)
        return shorten(text if message is None else message, _MAX_SHOWN_LENGTH, placeholder=" …")

    def __str__(self) -> str:
        detail = f"to {self.location}" if self.location else self.text
        return f"{self.request} is answered with {self.status} {detail}".rstrip(" .")


@dataclass(frozen=True)
class RegistryConnection:
    """A connection to a registry, with the deadline of all requests."""

    url: str
    client: "httpx.Client"
    deadline: Deadline

    def send(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Answer:
        """Send a request and return its whole answer, whatever its status.

        Raises:
            RegistryUnavailableError: There is no complete answer in time, or it is too large.
        """
        import httpx

        seconds = min(_REQUEST_SECONDS, self.deadline.remaining())
        if not seconds:
            raise self._unavailable("the time limit is reached")
        try:
            with self.client.stream(
                method, path, params=parameters, json=body, timeout=seconds
            ) as response:
                return self._read(f"{method} {path}", response, Deadline.after(seconds))
        except httpx.TimeoutException as error:
            raise self._unavailable(f"no answer to {method} {path} in {seconds:.3g} s") from error
        except (httpx.RequestError, httpx.InvalidURL, ValueError) as error:
            raise self._unavailable(failure_cause(error)) from error

    def _read(self, request: str, response: "httpx.Response", deadline: Deadline) -> Answer:
        encoding = response.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise self._unavailable(f"the answer to {request} is compressed, unrequested")
        content = bytearray()
        for chunk in response.iter_raw():
            content += chunk
            if len(content) > _MAX_ANSWER_BYTES:
                raise self._unavailable(
                    f"the answer to {request} has more than {_MAX_ANSWER_BYTES} bytes"
                )
            if not deadline.remaining():
                raise self._unavailable(f"the answer to {request} takes too long")
        return Answer(
            request=request,
            status=response.status_code,
            location=response.headers.get("location", "")[:_MAX_SHOWN_LENGTH],
            body=bytes(content),
        )

    def _unavailable(self, cause: str) -> RegistryUnavailableError:
        hint = "housectl registry sync   # when the registry is available"
        if "CERTIFICATE_VERIFY_FAILED" in cause:
            hint = "export SSL_CERT_FILE=ca.pem   # the certificates of the registry's issuer"
        return RegistryUnavailableError(
            f"The model registry {self.url} is unavailable: {cause}.", hint=hint
        )


@contextmanager
def open_connection(
    url: str, *, token: str | None, deadline: Deadline
) -> Iterator[RegistryConnection]:
    """Yield a connection to the registry at a URL.

    Args:
        url: Root URL of the registry.
        token: Bearer token; None without one. No redirect is followed, so no other host gets it.
        deadline: Moment after which no request is sent.

    Raises:
        LocalEnvironmentError: The file of SSL_CERT_FILE is invalid.
    """
    import httpx

    # A compressed answer can have any size when it is unpacked, so none is requested.
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    with httpx.Client(
        base_url=url,
        verify=_tls_context(url),
        headers=headers,
        trust_env=not is_loopback(url),
        follow_redirects=False,
    ) as client:
        yield RegistryConnection(url, client, deadline)


def _tls_context(url: str) -> ssl.SSLContext:
    """Return the TLS settings for a URL; without TLS, no certificates are loaded."""
    import httpx

    if not url.startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise LocalEnvironmentError(
            f"The certificates of SSL_CERT_FILE or SSL_CERT_DIR are invalid: {error}.",
            hint="echo $SSL_CERT_FILE $SSL_CERT_DIR   # a file in PEM format",
        ) from error


def _message(text: str) -> str | None:
    """Return the message of an error in JSON; None if the text is not one."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    message = content.get("message") if isinstance(content, dict) else None
    return message if isinstance(message, str) else None
