"""The API server."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec

from housectl.backends.katib.checks.common import init_command, warn_if_forbidden
from housectl.backends.katib.katib_names import INJECTED, INJECTION_LABEL
from housectl.backends.katib.katib_objects import EXPERIMENTS, SUGGESTIONS, TRIALS
from housectl.errors import ClusterError, ForbiddenError, NotFoundError
from housectl.kube.client import Kube
from housectl.kube.kinds import EVENTS, JOBS, NAMESPACES, NODES, PODS, PVCS, Kind
from housectl.kube.objects.base import (
    Condition,
    KubeObject,
    NamedObject,
    ObjectMeta,
    true_condition,
)


def check_api_server(kube: Kube) -> str:
    """Who answers.

    Raises:
        ClusterUnreachableError: Nobody does, or the kubeconfig does not say who should.
    """
    version, server = kube.get_raw("/version").get("gitVersion"), kube.server
    context = f"context {server.context}" if server.context else "this pod's own cluster"
    return f"Kubernetes {version} at {server.address}, {context}, namespace {kube.namespace}"


def check_namespace(kube: Kube) -> str:
    """Whether the namespace is there, and Katib may work in it.

    Raises:
        AbsentError: It is not there.
        ClusterError: It has not the label by which Katib knows where it may put its collector.
        Concern: The user may not look.
    """
    name = kube.namespace
    try:
        with warn_if_forbidden(f"The label of the namespace {name}"):
            found = kube.get(NAMESPACES, name, NamedObject)
    except NotFoundError as error:
        raise NotFoundError(error.message, hint=init_command(kube)) from error
    if found.metadata.labels.get(INJECTION_LABEL) != INJECTED:
        raise ClusterError(
            f"The namespace {name} has no label {INJECTION_LABEL}={INJECTED}, without which Katib "
            "refuses experiments there.",
            hint=init_command(kube),
        )
    return f"{name}, with Katib's label"


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


_REPELLING = {"NoSchedule", "NoExecute"}


class Taint(KubeObject):
    """What keeps pods away that do not tolerate it, as ours do not."""

    effect: str = ""


class NodeSpec(KubeObject):
    """What a node should be."""

    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()


class NodeStatus(KubeObject):
    """How a node stands; `allocatable` is what its pods may have together."""

    allocatable: dict[str, str] = msgspec.field(default_factory=dict)
    conditions: list[Condition] = msgspec.field(default_factory=list)


class Node(KubeObject):
    """A node."""

    metadata: ObjectMeta
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    @property
    def is_schedulable(self) -> bool:
        """Whether a pod of ours may be scheduled to it."""
        repels = any(taint.effect in _REPELLING for taint in self.spec.taints)
        ready = true_condition(self.status.conditions, "Ready") is not None
        return ready and not repels and not self.spec.unschedulable


def schedulable_nodes(kube: Kube) -> list[Node]:
    """Return the nodes that take pods.

    Raises:
        ForbiddenError: The user may not list nodes.
    """
    return [node for node in kube.list_as(NODES, Node) if node.is_schedulable]
