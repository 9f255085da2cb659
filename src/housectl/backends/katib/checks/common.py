"""What all checks share: rights to look that may be missing, and the command that prepares."""

from collections.abc import Iterator
from contextlib import contextmanager

from housectl.errors import Concern, ForbiddenError
from housectl.kube.client import Kube


@contextmanager
def if_allowed(what: str) -> Iterator[None]:
    """Make it a Concern that something cannot be looked at.

    Raises:
        Concern: The user has no right to look.
    """
    try:
        yield
    except ForbiddenError as error:
        raise Concern(f"{what} cannot be checked: {error.message}", cure=error.hint) from error


def preparing(kube: Kube, *, claim: str | None = None) -> str:
    """Return the command that puts on the cluster what is missing there."""
    context = f" --context {kube.context}" if kube.context else ""
    named = f" --claim {claim}" if claim else ""
    return f"housectl cluster init{context} --namespace {kube.namespace}{named}"
