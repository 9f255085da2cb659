"""The rights that a user needs; the Role in k8s/ also lets people look where cures send them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from housectl.backends.katib.checks.common import preparing
from housectl.errors import ForbiddenError
from housectl.kube.client import Kube
from housectl.kube.kinds import (
    CLAIMS,
    EVENTS,
    EXPERIMENTS,
    JOBS,
    PODS,
    SUGGESTIONS,
    TRIALS,
    Kind,
)

_AT_ONCE = 8


@dataclass(frozen=True, kw_only=True)
class Right:
    """What may be done with objects of a kind."""

    kind: Kind
    verbs: Sequence[str]
    subresource: str = ""

    def __str__(self) -> str:
        part = f"/{self.subresource}" if self.subresource else ""
        return f"{', '.join(self.verbs)} {self.kind.full_name}{part}"


RIGHTS: Sequence[Right] = (
    Right(kind=EXPERIMENTS, verbs=("get", "list", "watch", "create", "patch", "delete")),
    Right(kind=TRIALS, verbs=("list", "watch", "delete")),
    Right(kind=SUGGESTIONS, verbs=("list", "watch")),
    Right(kind=JOBS, verbs=("get", "list", "watch", "create", "patch", "delete")),
    Right(kind=PODS, verbs=("get", "list", "watch", "create", "delete")),
    # The stream of a command begins with a GET; newer servers ask for the right to create as well.
    Right(kind=PODS, verbs=("get", "create"), subresource="exec"),
    Right(kind=PODS, verbs=("get",), subresource="log"),
    Right(kind=EVENTS, verbs=("list", "watch")),
    Right(kind=CLAIMS, verbs=("get", "patch")),
)


def check_rights(kube: Kube) -> str:
    """Whether the user may do all that a search does.

    Raises:
        ForbiddenError: It names every right that is missing.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        missing = [right for right in pool.map(lambda each: _missing(kube, each), RIGHTS) if right]
    if missing:
        first = missing[0]
        raise ForbiddenError(
            f"This user may not, in the namespace {kube.namespace}: "
            f"{'; '.join(map(str, missing))}.",
            hint=f"{_asking(kube, first)}   # {preparing(kube)}, run by an administrator, gives "
            "the rights",
        )
    return f"all that a search needs, in the namespace {kube.namespace}"


def _missing(kube: Kube, right: Right) -> Right | None:
    """Return the part of a right that the user does not have."""
    verbs = tuple(_refused(kube, right))
    return Right(kind=right.kind, verbs=verbs, subresource=right.subresource) if verbs else None


def _refused(kube: Kube, right: Right) -> Iterator[str]:
    for verb in right.verbs:
        if not kube.may(verb, right.kind, subresource=right.subresource):
            yield verb


def _asking(kube: Kube, right: Right) -> str:
    """Return the command that asks for the first of a right's verbs."""
    part = f" --subresource={right.subresource}" if right.subresource else ""
    return f"{kube.kubectl} auth can-i {right.verbs[0]} {right.kind.full_name}{part}"
