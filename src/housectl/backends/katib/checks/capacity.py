"""Checks of the nodes' capacity for trials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from housectl.backends.doctor_check import CheckWarning
from housectl.backends.katib.checks.cluster import Node, schedulable_nodes
from housectl.backends.katib.checks.common import warn_if_forbidden
from housectl.backends.katib.plan.manifest import resource_requests
from housectl.backends.katib.plan.plan_record import KatibPlanRecord
from housectl.backends.katib.plan.sub_experiments import sub_experiments
from housectl.errors import ClusterError
from housectl.experiment import Experiment, Limits
from housectl.kube.client import Kube
from housectl.kube.kinds import ALL_PODS
from housectl.kube.objects.pods import Container, Pod
from housectl.quantities import format_mebibytes, parse_quantity

_ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class PodResources:
    """Cores, bytes of memory, and a number of pods."""

    cpu: Decimal = _ZERO
    memory: Decimal = _ZERO
    pods: Decimal = _ZERO

    @classmethod
    def of(cls, quantities: Mapping[str, str], *, pods: int) -> "PodResources":
        """Return the resources of Kubernetes quantities; a missing one is zero."""
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
        """Return how many times the other resources, which are not all zero, fit into these."""
        pairs = (
            (self.cpu, other.cpu),
            (self.memory, other.memory),
            (self.pods, other.pods),
        )
        return max(0, min(int(available // needed) for available, needed in pairs if needed))

    def __str__(self) -> str:
        return f"{self.cpu:g} CPU and {format_mebibytes(self.memory)}"


# The requests of Katib's collector in each trial's pod, and those of a suggestion's pod.
_COLLECTOR = PodResources(cpu=Decimal("0.05"), memory=Decimal(10 * 2**20))
_SUGGESTION = _COLLECTOR + PodResources(pods=Decimal(1))
_ENDED_PHASES = {"Succeeded", "Failed"}
# The kubelet's default.
_MAX_PODS_PER_NODE = "110"


def require_capacity(kube: Kube, plan: KatibPlanRecord) -> list[Node]:
    """Require a node that could run a trial if it were empty; return all schedulable nodes.

    Raises:
        ClusterError: No node is large enough.
        CheckWarning: No node is schedulable, or the user may not list nodes.
    """
    with warn_if_forbidden("The capacity of the nodes"):
        nodes = schedulable_nodes(kube)
    if not nodes:
        raise CheckWarning(
            "No node is schedulable: trials would wait for one.",
            hint=f"{kube.server.kubectl} get nodes",
        )
    trial = trial_resources(plan)
    capacities = [node_capacity(node) for node in nodes]
    largest = max(capacities, key=lambda capacity: (capacity // trial, capacity.cpu))
    if not largest // trial:
        raise ClusterError(
            f"No node is large enough for a trial: it requests {trial} with Katib's collector, and "
            f"the largest node has {largest}.",
            hint=f"{kube.server.kubectl} describe nodes   # then reduce cpu and memory under "
            "katib: in housectl.yaml",
        )
    return nodes


def check_capacity(kube: Kube, plan: KatibPlanRecord) -> str:
    """Check that all workers of an experiment fit beside the running pods.

    Raises:
        ClusterError: No node is large enough for a trial.
        CheckWarning: Some workers do not fit now, or the user may not list nodes or pods.
    """
    nodes = require_capacity(kube, plan)
    with warn_if_forbidden("The free capacity of the nodes"):
        pods = kube.list_as(ALL_PODS, Pod)
    members = (
        sub_experiments(plan.workload, algorithm=plan.settings.algorithm)
        if isinstance(plan.workload, Experiment)
        else []
    )
    workers, trial = sum(member.workers for member in members), trial_resources(plan)
    free = free_resources(nodes, pods)
    fitting = parallel_trials(free, trial=trial, suggestions=len(members))
    if fitting < workers:
        raise CheckWarning(
            f"The nodes have room for only {fitting} of {workers} parallel trials now: the others "
            "wait.",
            hint=f"housectl tune --workers {fitting}"
            if fitting
            else f"{kube.server.kubectl} get pods -A",
        )
    count = "one node" if len(nodes) == 1 else f"{len(nodes)} nodes"
    return f"{workers} parallel trials of {trial}, on {count}"


def trial_resources(plan: KatibPlanRecord) -> PodResources:
    """Return the requests of a trial's pod."""
    limits = plan.workload.limits if isinstance(plan.workload, Experiment) else Limits()
    return PodResources.of(resource_requests(plan.settings, limits), pods=1) + _COLLECTOR


def node_capacity(node: Node) -> PodResources:
    """Return the resources for all pods of a node together."""
    allocatable = node.status.allocatable
    return PodResources.of(allocatable, pods=int(allocatable.get("pods", _MAX_PODS_PER_NODE)))


def free_resources(nodes: Sequence[Node], pods: Sequence[Pod]) -> list[PodResources]:
    """Return the resources of each node that its pods leave free."""
    active = [pod for pod in pods if pod.status.phase not in _ENDED_PHASES]
    return [
        node_capacity(node)
        - sum(
            (_pod_requests(pod) for pod in active if pod.spec.node_name == node.metadata.name),
            PodResources(),
        )
        for node in nodes
    ]


def parallel_trials(free: Sequence[PodResources], *, trial: PodResources, suggestions: int) -> int:
    """Return how many trials fit after each suggestion takes the node with most free cores."""
    remaining = list(free)
    for _ in range(suggestions):
        index = max(range(len(remaining)), key=lambda node: remaining[node].cpu)
        remaining[index] -= _SUGGESTION
    return sum(resources // trial for resources in remaining)


def _pod_requests(pod: Pod) -> PodResources:
    """Return the requests by which a pod is scheduled.

    They are those of its containers together, or of a larger init container.
    """
    containers = [_container_requests(container) for container in pod.spec.containers]
    init_containers = [_container_requests(container) for container in pod.spec.init_containers]
    total = sum(containers, PodResources(pods=Decimal(1)))
    return PodResources(
        cpu=max(total.cpu, *(each.cpu for each in init_containers), _ZERO),
        memory=max(total.memory, *(each.memory for each in init_containers), _ZERO),
        pods=total.pods,
    )


def _container_requests(container: Container) -> PodResources:
    return PodResources.of(container.resources.requests, pods=0)
