"""Helpers of all checks: warnings about missing permissions, and the command that sets up."""

from collections.abc import Iterator
from contextlib import contextmanager

from housectl.backends.doctor_check import CheckWarning
from housectl.errors import ForbiddenError
from housectl.kube.client import Kube


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


def init_command(kube: Kube, *, pvc: str | None = None) -> str:
    """Return the command that sets up the namespace, and the PVC if one is named."""
    context_option = f" --context {kube.context}" if kube.context else ""
    pvc_option = f" --pvc {pvc}" if pvc else ""
    return f"housectl cluster init{context_option} --namespace {kube.namespace}{pvc_option}"
