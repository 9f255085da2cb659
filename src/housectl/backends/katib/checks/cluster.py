"""Checks of the cluster itself: API server, permissions, namespace and nodes."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import msgspec

from housectl.backends.katib.checks.common import has_katib_label, init_command, kubectl_target
from housectl.backends.katib.katib_client import namespace_unlabelled
from housectl.backends.katib.katib_installation import INJECTED, INJECTION_LABEL
from housectl.backends.katib.katib_objects import EXPERIMENTS, SUGGESTIONS, TRIALS
from housectl.errors import ClusterError, ForbiddenError, NotFoundError
from housectl.kube.client import Kube
from housectl.kube.kinds import EVENTS, JOBS, NODES, PODS, PVCS, Kind
from housectl.kube.objects.base import (
    Condition,
    KubeObject,
    ObjectMeta,
    true_condition,
)

_PARALLEL_REQUESTS = 8
_REPELLING_EFFECTS = {"NoSchedule", "NoExecute"}


def check_api_server(kube: Kube) -> str:
    """Check that the API server responds.

    Raises:
        ClusterUnreachableError: It does not respond, or the kubeconfig has no server.
    """
    version, server = kube.get_raw("/version").get("gitVersion"), kube.server
    context = f"context {server.context}" if server.context else "this pod's own cluster"
    return f"Kubernetes {version} at {server.address}, {context}, namespace {kube.namespace}"


@dataclass(frozen=True, kw_only=True)
class Permission:
    """Verbs that a user may apply to objects of a kind."""

    kind: Kind
    verbs: Sequence[str]
    subresource: str = ""

    def __str__(self) -> str:
        subresource = f"/{self.subresource}" if self.subresource else ""
        return f"{', '.join(self.verbs)} {self.kind.full_name}{subresource}"


_DELETE = ("delete", "deletecollection")
_CHANGE = ("get", "list", "watch", "create", "patch", *_DELETE)
# The Role in k8s/ grants more, so that users can run the commands of hints.
REQUIRED_PERMISSIONS: Sequence[Permission] = (
    Permission(kind=EXPERIMENTS, verbs=_CHANGE),
    Permission(kind=TRIALS, verbs=("list", "watch", *_DELETE)),
    Permission(kind=SUGGESTIONS, verbs=("list", "watch")),
    Permission(kind=JOBS, verbs=_CHANGE),
    Permission(kind=PODS, verbs=("get", "list", "watch", "create", "delete")),
    # The stream of an exec starts with a GET; newer servers require permission to create, too.
    Permission(kind=PODS, verbs=("get", "create"), subresource="exec"),
    Permission(kind=PODS, verbs=("get",), subresource="log"),
    Permission(kind=EVENTS, verbs=("list", "watch")),
    Permission(kind=PVCS, verbs=("get", "patch")),
)


def check_permissions(kube: Kube) -> str:
    """Check that the user has all permissions for a search.

    Raises:
        ForbiddenError: Permissions are missing; the message names each of them.
    """
    with ThreadPoolExecutor(_PARALLEL_REQUESTS) as pool:
        results = pool.map(lambda permission: _missing(kube, permission), REQUIRED_PERMISSIONS)
        missing = [permission for permission in results if permission.verbs]
    if missing:
        raise ForbiddenError(
            f"Missing permissions in namespace {kube.namespace}: {'; '.join(map(str, missing))}.",
            hint=f"{_can_i_command(kube, missing[0])}   # {init_command(kube)}, run by an "
            "administrator, grants the permissions",
        )
    return f"all permissions for a search in namespace {kube.namespace}"


def _missing(kube: Kube, permission: Permission) -> Permission:
    """Return the verbs of a permission that the user does not have."""
    return replace(permission, verbs=tuple(_denied_verbs(kube, permission)))


def _denied_verbs(kube: Kube, permission: Permission) -> Iterator[str]:
    for verb in permission.verbs:
        if not kube.can_i(verb, permission.kind, subresource=permission.subresource):
            yield verb


def _can_i_command(kube: Kube, permission: Permission) -> str:
    """Return the command that checks the first verb of a permission."""
    option = f" --subresource={permission.subresource}" if permission.subresource else ""
    kind = permission.kind.full_name
    return f"{kube.kubectl} auth can-i {permission.verbs[0]} {kind}{option}"


def check_namespace(kube: Kube) -> str:
    """Check that the namespace exists and that Katib works in it.

    Raises:
        NotFoundError: The namespace does not exist.
        ClusterError: It lacks the label that lets Katib add its collector.
        CheckWarning: The user may not read the namespace.
    """
    name = kube.namespace
    try:
        labelled = has_katib_label(kube, name)
    except NotFoundError as error:
        raise NotFoundError(error.message, hint=init_command(kube)) from error
    if not labelled:
        raise ClusterError(
            f"The namespace {name} lacks the label {INJECTION_LABEL}={INJECTED}: Katib rejects "
            "experiments without it.",
            hint=init_command(kube),
        )
    return f"{name}, with Katib's label"


def require_label(kube: Kube) -> None:
    """Require the label without which Katib rejects even the deletion of an experiment.

    Raises:
        ClusterError: The namespace lacks the label.
        CheckWarning: The user may not read the namespace.
    """
    if not has_katib_label(kube, kube.namespace):
        raise namespace_unlabelled(kubectl_target(kube), kube.namespace)


class Taint(KubeObject):
    """A taint of a node; housectl's pods tolerate none."""

    effect: str = ""


class NodeSpec(KubeObject):
    """The specification of a node."""

    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()


class NodeStatus(KubeObject):
    """The status of a node; `allocatable` holds the resources for all of its pods."""

    allocatable: dict[str, str] = msgspec.field(default_factory=dict)
    conditions: list[Condition] = msgspec.field(default_factory=list)


class Node(KubeObject):
    """A node."""

    metadata: ObjectMeta
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    @property
    def is_schedulable(self) -> bool:
        """True if housectl's pods can be scheduled to the node."""
        repels = any(taint.effect in _REPELLING_EFFECTS for taint in self.spec.taints)
        ready = true_condition(self.status.conditions, "Ready") is not None
        return ready and not repels and not self.spec.unschedulable


def schedulable_nodes(kube: Kube) -> list[Node]:
    """Return the schedulable nodes.

    Raises:
        ForbiddenError: The user may not list nodes.
    """
    return [node for node in kube.list_as(NODES, Node) if node.is_schedulable]
