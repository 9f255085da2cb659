"""Helpers of all checks: warnings about missing permissions, and the command that sets up."""

from collections.abc import Iterator
from contextlib import contextmanager

from housectl.backends.doctor_check import CheckWarning
from housectl.backends.katib.katib_installation import INJECTED, INJECTION_LABEL
from housectl.errors import ForbiddenError
from housectl.kube.client import Kube
from housectl.kube.kinds import NAMESPACES
from housectl.kube.kubectl import KubectlTarget
from housectl.kube.objects.base import NamedObject


@contextmanager
def warn_if_forbidden(subject: str) -> Iterator[None]:
    """Turn a missing permission into a warning that the subject cannot be checked.

    Raises:
        CheckWarning: The user lacks the permission to read the subject.
    """
    try:
        yield
    except ForbiddenError as error:
        raise CheckWarning(
            f"{subject} cannot be checked: {error.message}", hint=error.hint
        ) from error


def has_katib_label(kube: Kube, namespace: str) -> bool:
    """Return True if Katib's webhooks work in a namespace.

    Raises:
        NotFoundError: The namespace does not exist.
        CheckWarning: The user may not read it.
    """
    with warn_if_forbidden(f"The label of the namespace {namespace}"):
        labels = kube.get(NAMESPACES, namespace, NamedObject).metadata.labels
    return labels.get(INJECTION_LABEL) == INJECTED


def kubectl_target(kube: Kube) -> KubectlTarget:
    """Return the client's namespace, for kubectl commands."""
    return KubectlTarget(namespace=kube.namespace, context=kube.server.context)


def init_command(kube: Kube, *, pvc: str | None = None) -> str:
    """Return the command that sets up the namespace, and the PVC if one is named."""
    context_option = f" --context {kube.context}" if kube.context else ""
    pvc_option = f" --pvc {pvc}" if pvc else ""
    return f"housectl cluster init{context_option} --namespace {kube.namespace}{pvc_option}"
