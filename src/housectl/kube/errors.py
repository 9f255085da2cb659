"""Errors of the client and the API server as housectl errors, with Kubernetes' own message."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from housectl.errors import (
    ClusterError,
    ClusterUnreachableError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RejectedError,
)

_ERRORS: dict[int, type[ClusterError]] = {
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.BAD_REQUEST: RejectedError,
    HTTPStatus.FORBIDDEN: RejectedError,
    HTTPStatus.UNPROCESSABLE_ENTITY: RejectedError,
}
# The API server sends this text instead of a Status object if it does not serve an API group.
UNKNOWN_KIND = "404 page not found"
# RBAC writes: User "me" cannot create resource "pods". A quota has other words.
_RBAC_DENIED = " cannot "
_PERMISSION = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)" '
    r'in API group "(?P<group>[^"]*)" '
    r'(?:in the namespace "(?P<namespace>[^"]+)"|at the cluster scope)'
)
_GRANT = "housectl cluster init, run by an administrator, grants the permissions"
_WEBHOOK_FAILED = re.compile(r'failed calling webhook "(?P<webhook>[^"]+)"')
_MAX_MESSAGE_LENGTH = 600


@dataclass(frozen=True, kw_only=True)
class ApiServer:
    """An API server.

    Attributes:
        context: The kubeconfig's context; empty inside a cluster.
        address: Its URL.
    """

    context: str
    address: str

    @property
    def kubectl(self) -> str:
        """The start of a kubectl command for this server."""
        return f"kubectl --context {self.context}" if self.context else "kubectl"


Explain = Callable[[ApiServer, str], ClusterError | None]
"""Returns a more specific error for a message of the API server, or None."""


def no_explanation(_server: ApiServer, _message: str) -> None:
    """Leave every message to the generic errors."""


class ListExpiredError(ClusterError):
    """The API server has forgotten a version; the objects have to be listed again."""

    @classmethod
    def of(cls, server: ApiServer, status: bytes) -> "ListExpiredError":
        """Return the error for a Status object."""
        message = response_message(HTTPStatus.GONE, status).rstrip(".")
        return cls(
            f"The list of objects has expired: {message}.",
            hint=f"{server.kubectl} cluster-info   # then run the same command again",
        )


def error_from_response(server: ApiServer, status: int, body: bytes) -> ClusterError:
    """Return the error for a response that is not successful."""
    message = response_message(status, body)
    if status == HTTPStatus.FORBIDDEN and _RBAC_DENIED in message:
        return explain_forbidden(server, message)
    if status == HTTPStatus.GONE:
        return ListExpiredError.of(server, body)
    if status == HTTPStatus.UNAUTHORIZED:
        return ForbiddenError(
            f"The cluster at {server.address} did not authenticate the user: {message}.",
            hint=f"{server.kubectl} auth whoami   # then log in again",
        )
    if match := _WEBHOOK_FAILED.search(message):
        return ClusterError(
            f"The webhook {match['webhook']} is unavailable, so the cluster rejects the request: "
            f"{message}.",
            hint=f"{server.kubectl} get validatingwebhookconfigurations,"
            "mutatingwebhookconfigurations",
        )
    if message == UNKNOWN_KIND:
        return ClusterError(
            f"The cluster at {server.address} does not serve this kind of object.",
            hint=f"{server.kubectl} api-resources   # lists the kinds that it serves",
        )
    return _generic_error(server, status, message)


def _generic_error(server: ApiServer, status: int, message: str) -> ClusterError:
    rejected = "denied the request" in message
    kind = RejectedError if rejected else _ERRORS.get(status, ClusterError)
    return kind(
        f"The cluster reports an error: {message.rstrip('.')}.",
        hint=f"{server.kubectl} describe quota,limitrange -A   # limits of the namespaces"
        if status == HTTPStatus.FORBIDDEN
        else "housectl doctor   # checks the cluster",
    )


def explain_forbidden(server: ApiServer, message: str) -> ForbiddenError:
    """Return the error for a missing permission, with the command that checks it.

    Args:
        server: The API server.
        message: The message of its response with status 403.
    """
    match = _PERMISSION.search(message)
    if match is None:
        return ForbiddenError(
            f"The cluster forbids the request: {message.rstrip('.')}.",
            hint=f"{server.kubectl} describe resourcequota -A"
            if "quota" in message
            else f"{server.kubectl} auth can-i --list   # {_GRANT}",
        )
    resource, _, subresource = match["resource"].partition("/")
    kind = f"{resource}.{match['group']}" if match["group"] else resource
    option = f" --subresource={subresource}" if subresource else ""
    scope = f" -n {match['namespace']}" if match["namespace"] else ""
    where = f"in the namespace {match['namespace']}" if scope else "on the whole cluster"
    target = f"{kind}/{subresource}" if subresource else kind
    return ForbiddenError(
        f"The user {match['user']} may not {match['verb']} {target} {where}.",
        hint=f"{server.kubectl} auth can-i {match['verb']} {kind}{option}{scope}   # {_GRANT}",
    )


@contextmanager
def translate_errors(server: ApiServer) -> Iterator[None]:
    """Raise connection failures of the client library as ClusterUnreachableError.

    Raises:
        ClusterUnreachableError: The API server did not respond.
    """
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except (ApiException, HTTPError, OSError) as error:
        raise ClusterUnreachableError(
            f"The cluster at {server.address} does not answer: {_root_cause(error)}.",
            hint=f"{server.kubectl} cluster-info   # then start the cluster, or choose another: "
            "--context NAME",
        ) from error


def _root_cause(error: BaseException) -> str:
    """Return the operating system's message for an error that clients wrap in several layers.

    A truncated response has none. Its innermost error is about the parser, not the connection.
    """
    from urllib3.exceptions import ProtocolError

    chain = [error]
    while inner := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(inner)
    messages = [each.strerror for each in chain if isinstance(each, OSError) and each.strerror]
    if messages:
        return messages[0]
    if any(isinstance(each, ProtocolError) for each in chain):
        return "it closed the connection before the end of its response"
    return str(chain[-1]).rstrip(".")


def response_message(status: int, body: bytes) -> str:
    """Return the message of a response: of its Status object, or else its text."""
    text = body.decode(errors="replace").strip()
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    message = content.get("message") if isinstance(content, dict) else None
    return str(message or text)[:_MAX_MESSAGE_LENGTH] or HTTPStatus(status).phrase
