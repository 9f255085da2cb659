"""What all checks share: rights to look that may be missing, and the command that prepares."""

from collections.abc import Iterator
from contextlib import contextmanager

from housectl.errors import CheckWarning, ForbiddenError
from housectl.kube.client import Kube


@contextmanager
def warn_if_forbidden(subject: str) -> Iterator[None]:
    """Make it a Concern that something cannot be looked at.

    Raises:
        Concern: The user has no right to look.
    """
    try:
        yield
    except ForbiddenError as error:
        raise CheckWarning(
            f"{subject} cannot be checked: {error.message}", hint=error.hint
        ) from error


def init_command(kube: Kube, *, pvc: str | None = None) -> str:
    """Return the command that puts on the cluster what is missing there."""
    context = f" --context {kube.context}" if kube.context else ""
    named = f" --pvc {pvc}" if pvc else ""
    return f"housectl cluster init{context} --namespace {kube.namespace}{named}"
