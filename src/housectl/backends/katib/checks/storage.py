"""The claim that inputs and outputs lie on."""

from collections.abc import Sequence

from housectl.backends.katib.checks.cluster import schedulable_nodes
from housectl.backends.katib.checks.common import init_command
from housectl.errors import CheckWarning, ClusterError, ForbiddenError, NotFoundError
from housectl.kube.client import Kube
from housectl.kube.kinds import EVENTS, PVCS
from housectl.kube.objects.events import Event, latest_event
from housectl.kube.objects.pvcs import Pvc

_SHARED = "ReadWriteMany"
_ONE_NODE, _ONE_POD = "ReadWriteOnce", "ReadWriteOncePod"
# What is told of a claim that waits: for its first pod, for what provides its volume, in vain.
_PATIENT = "WaitForFirstConsumer"
_PROVIDING = ("Provisioning", "ExternalProvisioning")
_IN_VAIN = ("ProvisioningFailed", "FailedBinding")
# Who makes the volume: older clusters say it under the second name alone.
_PROVISIONER = (
    "volume.kubernetes.io/storage-provisioner",
    "volume.beta.kubernetes.io/storage-provisioner",
)
_MINIKUBE = "k8s.io/minikube-hostpath"
# The volume is then made on this node, and pods that need it come there.
_NODE = "volume.kubernetes.io/selected-node"


def require_pvc(kube: Kube, name: str) -> Pvc:
    """Ask for the claim, and return it.

    Raises:
        AbsentError: The namespace does not have it.
        ClusterError: It has lost its volume, or is another folder on each node.
    """
    try:
        claim = kube.get(PVCS, name, Pvc)
    except NotFoundError as error:
        raise NotFoundError(error.message, hint=init_command(kube, pvc=name)) from error
    if claim.status.phase == "Lost":
        raise ClusterError(
            f"The claim {name} has lost its volume {claim.spec.volume_name}, and all that was on "
            "it.",
            hint=f"{kube.kubectl} delete pvc {name}   # then {init_command(kube, pvc=name)}",
        )
    if is_node_local(claim) and (nodes := _nodes(kube)) > 1:
        raise ClusterError(
            f"The claim {name} is a folder of Minikube's, which each node has for itself, and "
            f"{nodes} nodes take pods: on the others, trials would not find their inputs.",
            hint=f"{kube.server.kubectl} cordon -l minikube.k8s.io/primary=false   # then all pods "
            "come to one node; or name a claim of another storage class: --pvc NAME",
        )
    return claim


def check_pvc(kube: Kube, name: str) -> str:
    """Whether the claim has a volume, or will have one, and from where trials reach it.

    Raises:
        AbsentError: The namespace does not have it.
        ClusterError: It has lost its volume, cannot get one, or is another folder on each node.
        Concern: It has no volume yet, or only one node or pod at a time may mount it.
    """
    claim = require_pvc(kube, name)
    modes = claim.spec.access_modes
    phase = claim.status.phase if claim.status.phase == "Bound" else _waiting(kube, name)
    _check_reach(kube, name, modes)
    return f"{name} is {phase}, {', '.join(modes)}"


def _waiting(kube: Kube, name: str) -> str:
    """Return what an unbound claim waits for, if that is no trouble."""
    told = kube.list_as(EVENTS, Event, fields=f"involvedObject.name={name}")
    latest = latest_event(told, _PATIENT, *_PROVIDING, *_IN_VAIN)
    look = f"{kube.kubectl} describe pvc {name}"
    if latest is None:
        raise CheckWarning(f"The claim {name} has no volume yet, and nothing says why.", hint=look)
    if latest.reason == _PATIENT:
        return "Pending, as it is given its volume when a pod first needs it"
    trouble = f"The claim {name} has no volume yet: {latest.message.rstrip('.')}."
    if latest.reason in _PROVIDING:
        raise CheckWarning(trouble, hint=look)
    raise ClusterError(
        trouble, hint=f"{look}   # kubectl get storageclass lists what can provide one"
    )


def _check_reach(kube: Kube, name: str, modes: list[str]) -> None:
    """Find out whether trials can have the volume at the same time."""
    if problem := access_mode_problem(modes, nodes=_nodes(kube)):
        raise CheckWarning(
            f"The claim {name} is {', '.join(modes)}: {problem}.",
            hint=f"{kube.server.kubectl} get storageclass   # then make a claim of one that "
            f"offers {_SHARED}, and name it: --pvc NAME",
        )


def _nodes(kube: Kube) -> int:
    """Return how many nodes take pods; one where the user may not know."""
    try:
        return len(schedulable_nodes(kube))
    except ForbiddenError:
        return 1


def is_node_local(claim: Pvc) -> bool:
    """Whether pods find another folder on each node, whatever access modes the claim has."""
    told = claim.metadata.annotations
    return _NODE not in told and any(told.get(name) == _MINIKUBE for name in _PROVISIONER)


def access_mode_problem(modes: Sequence[str], *, nodes: int) -> str | None:
    """Return what comes of a claim's access modes on so many nodes that take pods, if it is bad."""
    if _SHARED in modes:
        return None
    if _ONE_NODE in modes:
        return (
            f"{nodes} nodes take pods, but only one at a time can have the volume; trials that "
            "come to another node wait there until no pod has it mounted"
            if nodes > 1
            else None
        )
    if _ONE_POD in modes:
        return "only one trial can run at a time, and whatever brings files waits for its end"
    return "no trial can write to it"
