"""Room for trials on the nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from housectl.backends.katib.checks.cluster import Node, schedulable_nodes
from housectl.backends.katib.checks.common import warn_if_forbidden
from housectl.backends.katib.plan.manifest import requests
from housectl.backends.katib.plan.records import PlanRecord
from housectl.backends.katib.plan.sub_experiments import sub_experiments
from housectl.errors import CheckWarning, ClusterError
from housectl.experiment import Experiment, Limits
from housectl.kube.client import Kube
from housectl.kube.kinds import ALL_PODS
from housectl.kube.objects.pods import Container, Pod
from housectl.quantities import format_mebibytes, parse_quantity

_NOTHING = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class PodResources:
    """Cores, bytes of memory, and a number of pods."""

    cpu: Decimal = _NOTHING
    memory: Decimal = _NOTHING
    pods: Decimal = _NOTHING

    @classmethod
    def of(cls, quantities: Mapping[str, str], *, pods: int) -> "PodResources":
        """Return the amount that Kubernetes writes so; what is not named is nothing."""
        cpu, memory = (parse_quantity(quantities.get(name, "0")) for name in ("cpu", "memory"))
        return cls(cpu=cpu, memory=memory, pods=Decimal(pods))

    def __add__(self, other: "PodResources") -> "PodResources":
        return PodResources(
            cpu=self.cpu + other.cpu,
            memory=self.memory + other.memory,
            pods=self.pods + other.pods,
        )

    def __sub__(self, other: "PodResources") -> "PodResources":
        return PodResources(
            cpu=self.cpu - other.cpu,
            memory=self.memory - other.memory,
            pods=self.pods - other.pods,
        )

    def __floordiv__(self, other: "PodResources") -> int:
        """Return how many times another one, which is not nothing, goes into this one."""
        pairs = (
            (self.cpu, other.cpu),
            (self.memory, other.memory),
            (self.pods, other.pods),
        )
        return max(0, min(int(mine // its) for mine, its in pairs if its))

    def __str__(self) -> str:
        return f"{self.cpu:g} CPU and {format_mebibytes(self.memory)}"


# What Katib's collector asks for beside a trainer, and the pod of a suggestion.
_BESIDE = PodResources(cpu=Decimal("0.05"), memory=Decimal(10 * 2**20))
_SUGGESTION = _BESIDE + PodResources(pods=Decimal(1))
_ENDED = {"Succeeded", "Failed"}
# Kubernetes' own default.
_PODS_OF_A_NODE = "110"


def require_capacity(kube: Kube, plan: PlanRecord) -> list[Node]:
    """Ask for a node that could take a trial if it had nothing else to do; return all nodes.

    Raises:
        ClusterError: There is no such node.
        Concern: The user may not list nodes, or none takes pods just now.
    """
    with warn_if_forbidden("Room on the nodes"):
        nodes = schedulable_nodes(kube)
    if not nodes:
        raise CheckWarning(
            "No node takes pods just now, so trials would wait for one.",
            hint=f"{kube.server.kubectl} get nodes",
        )
    trial = trial_resources(plan)
    greatest = max(
        (node_capacity(node) for node in nodes), key=lambda each: (each // trial, each.cpu)
    )
    if not greatest // trial:
        raise ClusterError(
            f"A trial fits no node: with Katib's collector it asks for {trial}, and the largest "
            f"node has {greatest}.",
            hint=f"{kube.server.kubectl} describe nodes   # then ask for less with cpu and memory "
            "under katib: in housectl.yaml",
        )
    return nodes


def check_capacity(kube: Kube, plan: PlanRecord) -> str:
    """How many trials of an experiment can run at the same time beside all that runs already.

    Raises:
        ClusterError: A trial fits no node.
        Concern: There is not room for all workers, or the user may not look.
    """
    nodes = require_capacity(kube, plan)
    with warn_if_forbidden("How much room other pods leave"):
        pods = kube.list_as(ALL_PODS, Pod)
    parts = sub_experiments(plan.workload) if isinstance(plan.workload, Experiment) else []
    wanted = sum(member.workers for member in parts)
    room = trials_at_once(
        free_resources(nodes, pods), trial=trial_resources(plan), suggestions=len(parts)
    )
    if room < wanted:
        raise CheckWarning(
            f"There is room for {room} of {wanted} trials at the same time beside what runs now; "
            "the others wait.",
            hint=f"housectl tune --workers {room}"
            if room
            else f"{kube.server.kubectl} get pods -A",
        )
    return f"{wanted} trials of {trial_resources(plan)} at the same time, on {_counted(nodes)}"


def trial_resources(plan: PlanRecord) -> PodResources:
    """Return what a trial's pod asks for."""
    limits = plan.workload.limits if isinstance(plan.workload, Experiment) else Limits()
    return PodResources.of(requests(plan.settings, limits), pods=1) + _BESIDE


def node_capacity(node: Node) -> PodResources:
    """Return what a node's pods may have together."""
    allocatable = node.status.allocatable
    return PodResources.of(allocatable, pods=int(allocatable.get("pods", _PODS_OF_A_NODE)))


def free_resources(nodes: Sequence[Node], pods: Sequence[Pod]) -> list[PodResources]:
    """Return what the pods on each node leave of it."""
    running = [pod for pod in pods if pod.status.phase not in _ENDED]
    return [
        node_capacity(node)
        - sum(
            (_asked(pod) for pod in running if pod.spec.node_name == node.metadata.name),
            PodResources(),
        )
        for node in nodes
    ]


def trials_at_once(free: Sequence[PodResources], *, trial: PodResources, suggestions: int) -> int:
    """Return how many trials fit, when each suggestion has gone where most cores are free."""
    left = list(free)
    for _ in range(suggestions):
        place = max(range(len(left)), key=lambda each: left[each].cpu)
        left[place] -= _SUGGESTION
    return sum(each // trial for each in left)


def _asked(pod: Pod) -> PodResources:
    """Return what a pod is scheduled by: its containers together, or one that comes before."""
    together = sum((_amount(each) for each in pod.spec.containers), PodResources(pods=Decimal(1)))
    before = [_amount(each) for each in pod.spec.init_containers]
    return PodResources(
        cpu=max(together.cpu, *(each.cpu for each in before), Decimal(0)),
        memory=max(together.memory, *(each.memory for each in before), Decimal(0)),
        pods=together.pods,
    )


def _amount(container: Container) -> PodResources:
    return PodResources.of(container.resources.requests, pods=0)


def _counted(nodes: Sequence[Node]) -> str:
    return "one node" if len(nodes) == 1 else f"{len(nodes)} nodes"
