"""Failures of client and API server as errors of ours, with Kubernetes' own words kept."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from housectl.backends.katib.diagnosis.permissions import explain_forbidden
from housectl.backends.katib.katib_names import COMPONENT_LABEL, CONTROLLER
from housectl.errors import (
    ClusterError,
    ClusterUnreachableError,
    ConflictError,
    ForbiddenError,
    KatibMissingError,
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
_WEBHOOK_FAILED = "failed calling webhook"
# What the API server says of a kind that nobody has told it about: it serves all others of ours.
_UNKNOWN_KIND = "404 page not found"
_KATIB = "github.com/kubeflow/katib.git/manifests/v1beta1/installs/katib-standalone?ref=v0.19.0"
# As in: User "me" cannot create resource "pods"; a quota forbids in other words.
_NO_RIGHT = " cannot "
_LONGEST = 600


@dataclass(frozen=True, kw_only=True)
class ApiServer:
    """Which API server is spoken to.

    Attributes:
        context: The kubeconfig's context; empty inside a cluster.
        address: Its URL.
    """

    context: str
    address: str

    @property
    def kubectl(self) -> str:
        """The beginning of a kubectl command for this server."""
        return f"kubectl --context {self.context}" if self.context else "kubectl"


def error_from_response(server: ApiServer, status: int, body: bytes) -> ClusterError:
    """Return the error for an answer that is none of success."""
    message = _message(body) or HTTPStatus(status).phrase
    if status == HTTPStatus.FORBIDDEN and _NO_RIGHT in message:
        cause = explain_forbidden(message, context=server.context or None)
        return ForbiddenError(cause.message, hint=cause.hint)
    if status == HTTPStatus.UNAUTHORIZED:
        return ForbiddenError(
            f"The cluster at {server.address} does not know who is asking: {message}.",
            hint=f"{server.kubectl} auth whoami   # then log in anew",
        )
    if _WEBHOOK_FAILED in message:
        return ClusterError(
            f"Katib's webhook does not answer, so the cluster takes nothing: {message}.",
            hint=f"{server.kubectl} get pods -A -l {COMPONENT_LABEL}={CONTROLLER}",
        )
    if message == _UNKNOWN_KIND:
        return katib_missing(server, "it does not know Katib's kinds")
    kind = RejectedError if "denied the request" in message else _ERRORS.get(status, ClusterError)
    limited = status == HTTPStatus.FORBIDDEN
    return kind(
        f"The cluster says: {message.rstrip('.')}.",
        hint=f"{server.kubectl} describe quota,limitrange -A   # what namespaces may use"
        if limited
        else "housectl doctor   # checks what the cluster has",
    )


def katib_missing(server: ApiServer, why: str) -> KatibMissingError:
    """Return the error for a cluster that has no Katib, or not all of it."""
    return KatibMissingError(
        f"The cluster has no Katib: {why}.", hint=f'{server.kubectl} apply -k "{_KATIB}"'
    )


@contextmanager
def translate_errors(server: ApiServer) -> Iterator[None]:
    """Turn what the client raises into ClusterErrors.

    Raises:
        ClusterUnreachableError: There was no answer.
    """
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except (ApiException, HTTPError, OSError) as error:
        raise ClusterUnreachableError(
            f"The cluster at {server.address} does not answer: {_reason(error)}.",
            hint=f"{server.kubectl} cluster-info   # then start the cluster, or choose another: "
            "--context NAME",
        ) from error


def _reason(error: BaseException) -> str:
    """Return the system's own words for what went wrong, which clients wrap in several layers."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        last, inner = inner, inner.__cause__ or inner.__context__
    return str(last).rstrip(".")


def _message(body: bytes) -> str:
    """Return the message of a Status object, or the text that stands in its place."""
    text = body.decode(errors="replace").strip()
    try:
        status = json.loads(text)
    except ValueError:
        return text[:_LONGEST]
    message = status.get("message") if isinstance(status, dict) else None
    return str(message or text)[:_LONGEST]
