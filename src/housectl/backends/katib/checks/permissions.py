"""The rights that a user needs; the Role in k8s/ also lets people look where hints send them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from housectl.backends.katib.checks.common import init_command
from housectl.errors import ForbiddenError
from housectl.kube.client import Kube
from housectl.kube.kinds import (
    EVENTS,
    EXPERIMENTS,
    JOBS,
    PODS,
    PVCS,
    SUGGESTIONS,
    TRIALS,
    Kind,
)

_AT_ONCE = 8


@dataclass(frozen=True, kw_only=True)
class Permission:
    """What may be done with objects of a kind."""

    kind: Kind
    verbs: Sequence[str]
    subresource: str = ""

    def __str__(self) -> str:
        part = f"/{self.subresource}" if self.subresource else ""
        return f"{', '.join(self.verbs)} {self.kind.full_name}{part}"


REQUIRED_PERMISSIONS: Sequence[Permission] = (
    Permission(kind=EXPERIMENTS, verbs=("get", "list", "watch", "create", "patch", "delete")),
    Permission(kind=TRIALS, verbs=("list", "watch", "delete")),
    Permission(kind=SUGGESTIONS, verbs=("list", "watch")),
    Permission(kind=JOBS, verbs=("get", "list", "watch", "create", "patch", "delete")),
    Permission(kind=PODS, verbs=("get", "list", "watch", "create", "delete")),
    # The stream of a command begins with a GET; newer servers ask for the right to create as well.
    Permission(kind=PODS, verbs=("get", "create"), subresource="exec"),
    Permission(kind=PODS, verbs=("get",), subresource="log"),
    Permission(kind=EVENTS, verbs=("list", "watch")),
    Permission(kind=PVCS, verbs=("get", "patch")),
)


def check_permissions(kube: Kube) -> str:
    """Whether the user may do all that a search does.

    Raises:
        ForbiddenError: It names every right that is missing.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        missing = [
            right
            for right in pool.map(lambda each: _missing(kube, each), REQUIRED_PERMISSIONS)
            if right
        ]
    if missing:
        first = missing[0]
        raise ForbiddenError(
            f"This user may not, in the namespace {kube.namespace}: "
            f"{'; '.join(map(str, missing))}.",
            hint=f"{_can_i_command(kube, first)}   # {init_command(kube)}, run by an administrator, gives "
            "the rights",
        )
    return f"all that a search needs, in the namespace {kube.namespace}"


def _missing(kube: Kube, right: Permission) -> Permission | None:
    """Return the part of a right that the user does not have."""
    verbs = tuple(_refused(kube, right))
    return (
        Permission(kind=right.kind, verbs=verbs, subresource=right.subresource) if verbs else None
    )


def _refused(kube: Kube, right: Permission) -> Iterator[str]:
    for verb in right.verbs:
        if not kube.can_i(verb, right.kind, subresource=right.subresource):
            yield verb


def _can_i_command(kube: Kube, right: Permission) -> str:
    """Return the command that asks for the first of a right's verbs."""
    part = f" --subresource={right.subresource}" if right.subresource else ""
    return f"{kube.kubectl} auth can-i {right.verbs[0]} {right.kind.full_name}{part}"
