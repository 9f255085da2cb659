"""The connection to an API server: of a kubeconfig context, or of the surrounding cluster."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

import msgspec

from housectl.errors import ClusterError, ClusterUnreachableError
from housectl.kube.errors import (
    ApiServer,
    Explain,
    error_from_response,
    response_message,
    translate_errors,
)
from housectl.kube.exec import ExecStreams, open_streams
from housectl.kube.objects.base import Manifest
from housectl.kube.rate_limit import RateLimit

if TYPE_CHECKING:
    from kubernetes.client import ApiClient
    from kubernetes.client.rest import RESTResponse

_T = TypeVar("_T")

Query = Mapping[str, str]

_CONNECT_SECONDS = 5.0
_RESPONSE_SECONDS = 30.0
_JSON = "application/json"
# The rate of kubectl.
_REQUESTS_PER_SECOND, _REQUEST_BURST = 50.0, 300


def _rate_limit() -> RateLimit:
    return RateLimit(per_second=_REQUESTS_PER_SECOND, burst=_REQUEST_BURST)


@dataclass(frozen=True, kw_only=True)
class Connection:
    """HTTP requests to one API server.

    Attributes:
        client: The client library's; it has the credentials and the connection pool.
        explain: Returns a more specific error for a message of the API server, or None.
        rate_limit: The limit for all requests of this connection.
    """

    client: "ApiClient"
    server: ApiServer
    explain: Explain
    rate_limit: RateLimit = field(default_factory=_rate_limit)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Manifest | None = None,
        content_type: str = _JSON,
        timeout: float = _RESPONSE_SECONDS,
    ) -> bytes:
        """Return the body of a response.

        Raises:
            ClusterError: The API server is unreachable, or reports an error.
        """
        with translate_errors(self.server):
            response = self._open(
                method, path, query, body=body, content_type=content_type, timeout=timeout
            )
            data: bytes = response.read()
        return data

    def request_object(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Manifest | None = None,
    ) -> dict[str, object]:
        """Return the object in a response.

        Raises:
            ClusterError: The server is unreachable, reports an error, or is no API server.
        """
        data = self.request(method, path, query=query, body=body)
        with suppress(ValueError):
            parsed = json.loads(data)
            if isinstance(parsed, dict):
                return parsed
        raise self._no_api_server()

    def request_decoded(self, path: str, query: Query, decode: Callable[[bytes], _T]) -> _T:
        """Return the decoded body of the response to a GET request.

        Raises:
            ClusterError: The server is unreachable, reports an error, or is no API server.
        """
        data = self.request("GET", path, query=query)
        try:
            return decode(data)
        except (msgspec.DecodeError, ValueError) as error:
            raise self._no_api_server() from error

    def stream_lines(self, path: str, query: Query, *, timeout: float) -> Iterator[bytes]:
        """Yield the lines of a response as they arrive.

        Raises:
            ClusterError: The API server is unreachable, or reports an error.
        """
        with translate_errors(self.server):
            response = self._open("GET", path, query, timeout=timeout)
            # A line may have a megabyte, in many chunks.
            parts: list[bytes] = []
            for chunk in response.response.stream(None):
                first, *others = chunk.split(b"\n")
                parts.append(first)
                for other in others:
                    if line := b"".join(parts):
                        yield line
                    parts = [other]

    def exec(self, path: str) -> ExecStreams:
        """Start a command at an exec path, and return its streams.

        Raises:
            ClusterError: The API server is unreachable, or reports an error.
        """
        url = f"{self.server.address}{path}"
        configuration = self.client.configuration
        with translate_errors(self.server):
            return open_streams(
                configuration, url, self._headers(), server=self.server, error_from=self._error
            )

    def _open(
        self,
        method: str,
        path: str,
        query: Query | None,
        *,
        body: Manifest | None = None,
        content_type: str = _JSON,
        timeout: float = _RESPONSE_SECONDS,
    ) -> "RESTResponse":
        self.rate_limit.wait()
        encoded = urlencode({name: value for name, value in (query or {}).items() if value})
        response = self.client.call_api(
            method,
            f"{self.server.address}{path}{'?' if encoded else ''}{encoded}",
            header_params={**self._headers(), "Content-Type": content_type},
            body=body,
            _request_timeout=(_CONNECT_SECONDS, timeout),
        )
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise self._error(response.status, response.read())
        return response

    def _error(self, status: int, body: bytes) -> ClusterError:
        explained = self.explain(self.server, response_message(status, body))
        return explained or error_from_response(self.server, status, body)

    def _no_api_server(self) -> ClusterError:
        return ClusterError(
            f"The server at {self.server.address} is not a Kubernetes API server.",
            hint=f"{self.server.kubectl} cluster-info   # then correct the kubeconfig",
        )

    def _headers(self) -> dict[str, str]:
        """Return the headers with the user's credentials, which may have been renewed."""
        headers = {"Accept": _JSON, "User-Agent": "housectl"}
        self.client.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)
        return headers


def connect(context: str | None, explain: Explain) -> Connection:
    """Return a connection for a context of the kubeconfig; None means the current context.

    Without a kubeconfig, it is to the cluster that this process runs in.

    Raises:
        ClusterUnreachableError: There is neither a kubeconfig nor a surrounding cluster, or the
            context does not exist.
    """
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config import ConfigException, load_incluster_config
    from yaml import YAMLError

    configuration = Configuration()
    # Retries would hide a refused connection for a minute, and print a warning for each.
    configuration.retries = False
    # Each watch holds a connection in addition to those of single requests.
    configuration.connection_pool_maxsize = 32
    try:
        name = _load(configuration, context)
    except (OSError, TypeError, ValueError, YAMLError) as error:
        raise _kubeconfig_unreadable(error) from error
    except ConfigException as error:
        if context is not None:
            raise _context_unusable(context, error) from error
        name = ""
        try:
            load_incluster_config(client_configuration=configuration)
        except ConfigException:
            raise _no_cluster(error) from error
    server = ApiServer(context=name, address=str(configuration.host))
    return Connection(client=ApiClient(configuration), server=server, explain=explain)


def _load(configuration: object, context: str | None) -> str:
    """Load a context of the kubeconfig, and return its name."""
    from kubernetes.config import list_kube_config_contexts, load_kube_config

    # The client library reads this variable only once, at its import.
    files = os.environ.get("KUBECONFIG")
    _, active = list_kube_config_contexts(files)
    load_kube_config(files, context=context, client_configuration=configuration)
    return context or str(active["name"])


def _kubeconfig_unreadable(error: Exception) -> ClusterUnreachableError:
    text = " ".join(str(error).split())
    return ClusterUnreachableError(
        f"The kubeconfig cannot be read: {text}.",
        hint="kubectl config view   # or set KUBECONFIG to another file",
    )


def _context_unusable(context: str, error: Exception) -> ClusterUnreachableError:
    return ClusterUnreachableError(
        f"The kubeconfig has no usable context {context!r}: {error}.",
        hint="kubectl config get-contexts",
    )


def _no_cluster(error: Exception) -> ClusterUnreachableError:
    return ClusterUnreachableError(
        f"No cluster is configured: {str(error).rstrip('.')}.",
        hint="minikube start   # or set KUBECONFIG to your cluster's file",
    )
