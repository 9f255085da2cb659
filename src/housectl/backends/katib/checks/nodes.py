"""The nodes that take pods."""

import msgspec

from housectl.kube.client import Kube
from housectl.kube.kinds import NODES
from housectl.kube.objects.base import Condition, KubeObject, ObjectMeta, true_condition

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
    def takes_pods(self) -> bool:
        """Whether a pod of ours may be scheduled to it."""
        repels = any(taint.effect in _REPELLING for taint in self.spec.taints)
        ready = true_condition(self.status.conditions, "Ready") is not None
        return ready and not repels and not self.spec.unschedulable


def nodes_for_pods(kube: Kube) -> list[Node]:
    """Return the nodes that take pods.

    Raises:
        ForbiddenError: The user may not list nodes.
    """
    return [node for node in kube.list_as(NODES, Node) if node.takes_pods]
