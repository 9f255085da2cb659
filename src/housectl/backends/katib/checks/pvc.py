"""Checks of the PVC for inputs and outputs."""

from collections.abc import Sequence

from housectl.backends.doctor_check import CheckWarning
from housectl.backends.katib.checks.cluster import schedulable_nodes
from housectl.backends.katib.checks.common import init_command
from housectl.errors import ClusterError, ForbiddenError, NotFoundError
from housectl.kube.client import Kube
from housectl.kube.kinds import EVENTS, PVCS
from housectl.kube.objects.events import Event, latest_event
from housectl.kube.objects.pvcs import Pvc

_READ_WRITE_MANY = "ReadWriteMany"
_READ_WRITE_ONCE, _READ_WRITE_ONCE_POD = "ReadWriteOnce", "ReadWriteOncePod"
# Reasons of events about an unbound PVC: waiting for its first pod, in progress, failed.
_WAITING = "WaitForFirstConsumer"
_PROVISIONING = ("Provisioning", "ExternalProvisioning")
_FAILED = ("ProvisioningFailed", "FailedBinding")
# Annotations with the provisioner; older clusters only set the second one.
_PROVISIONER_ANNOTATIONS = (
    "volume.kubernetes.io/storage-provisioner",
    "volume.beta.kubernetes.io/storage-provisioner",
)
_MINIKUBE_HOST_PATH = "k8s.io/minikube-hostpath"
# Annotation with the node of the volume; pods that mount it are scheduled to this node.
_SELECTED_NODE = "volume.kubernetes.io/selected-node"


def require_pvc(kube: Kube, name: str) -> Pvc:
    """Return the PVC if trials can use it.

    Raises:
        NotFoundError: The PVC does not exist.
        ClusterError: It has lost its volume, or has another directory on each node.
    """
    try:
        pvc = kube.get(PVCS, name, Pvc)
    except NotFoundError as error:
        raise NotFoundError(error.message, hint=init_command(kube, pvc=name)) from error
    if pvc.status.phase == "Lost":
        raise ClusterError(
            f"The PVC {name} has lost its volume {pvc.spec.volume_name} and all data on it.",
            hint=f"{kube.kubectl} delete pvc {name}   # then {init_command(kube, pvc=name)}",
        )
    if is_node_local(pvc) and (nodes := _count_nodes(kube)) > 1:
        raise ClusterError(
            f"The PVC {name} is a node-local Minikube hostPath volume, but {nodes} nodes are "
            "schedulable: trials on other nodes would not find their inputs.",
            hint=f"{kube.server.kubectl} cordon -l minikube.k8s.io/primary=false   # then all pods "
            "run on one node; or use a PVC of another storage class: --pvc NAME",
        )
    return pvc


def check_pvc(kube: Kube, name: str) -> str:
    """Check that the PVC has or will have a volume, and that all trials can mount it.

    Raises:
        NotFoundError: The PVC does not exist.
        ClusterError: It has lost its volume, cannot get one, or has another directory on each node.
        CheckWarning: It has no volume yet, or only one node or pod at a time can mount it.
    """
    pvc = require_pvc(kube, name)
    phase = pvc.status.phase if pvc.status.phase == "Bound" else _check_unbound(kube, name)
    modes = ", ".join(pvc.spec.access_modes)
    if problem := access_mode_problem(pvc.spec.access_modes, nodes=_count_nodes(kube)):
        raise CheckWarning(
            f"The PVC {name} is {modes}: {problem}.",
            hint=f"{kube.server.kubectl} get storageclass   # then create a PVC of a class with "
            f"{_READ_WRITE_MANY}, and use it: --pvc NAME",
        )
    return f"{name} is {phase}, {modes}"


def _check_unbound(kube: Kube, name: str) -> str:
    """Return the phase of an unbound PVC in words if it only waits for its first pod."""
    events = kube.list_as(EVENTS, Event, fields=f"involvedObject.name={name}")
    event = latest_event(events, _WAITING, *_PROVISIONING, *_FAILED)
    describe = f"{kube.kubectl} describe pvc {name}"
    if event is None:
        raise CheckWarning(
            f"The PVC {name} has no volume yet, and no event explains it.", hint=describe
        )
    if event.reason == _WAITING:
        return "Pending until a pod first mounts it"
    problem = f"The PVC {name} has no volume yet: {event.message.rstrip('.')}."
    if event.reason in _PROVISIONING:
        raise CheckWarning(problem, hint=describe)
    raise ClusterError(
        problem,
        hint=f"{describe}   # kubectl get storageclass lists the available storage classes",
    )


def _count_nodes(kube: Kube) -> int:
    """Return the number of schedulable nodes; one if the user may not list nodes."""
    try:
        return len(schedulable_nodes(kube))
    except ForbiddenError:
        return 1


def is_node_local(pvc: Pvc) -> bool:
    """Return True if pods get another directory on each node, whatever the access modes."""
    annotations = pvc.metadata.annotations
    provisioners = {annotations.get(name) for name in _PROVISIONER_ANNOTATIONS}
    return _SELECTED_NODE not in annotations and _MINIKUBE_HOST_PATH in provisioners


def access_mode_problem(modes: Sequence[str], *, nodes: int) -> str | None:
    """Return the problem of a PVC's access modes with this number of schedulable nodes."""
    if _READ_WRITE_MANY in modes:
        return None
    if _READ_WRITE_ONCE in modes:
        return (
            f"{nodes} nodes are schedulable, but only one at a time can mount the volume; trials "
            "on another node wait until no pod has it mounted"
            if nodes > 1
            else None
        )
    if _READ_WRITE_ONCE_POD in modes:
        return "only one trial can run at a time, and file transfers wait for its end"
    return "no trial can write to it"
