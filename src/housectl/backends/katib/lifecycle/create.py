"""Creating objects on the cluster, under names that no other object has."""

from housectl.backends.katib.katib_objects import EXPERIMENTS
from housectl.backends.katib.labels_and_paths import INSTANCE_LABEL
from housectl.backends.katib.plan.katib_plan import KatibPlan
from housectl.backends.katib.plan.pod_spec import Manifest
from housectl.backends.katib.volume.work_index import WorkIndex
from housectl.backends.messages import already_exists_error
from housectl.errors import AlreadyExistsError, ConflictError, HousectlError
from housectl.experiment import Experiment
from housectl.kube.client import Kube
from housectl.kube.kinds import Kind
from housectl.kube.objects.base import NamedObject, ObjectMeta, parse


def create_all(kube: Kube, plan: KatibPlan) -> None:
    """Create the objects of a plan, all or none, after its name is in the index of the PVC.

    Raises:
        AlreadyExistsError: Another object has one of the names.
        ClusterError: The cluster rejects an object.
    """
    created: list[str] = []
    index = WorkIndex(kube=kube, pvc=plan.record.settings.pvc)
    if isinstance(plan.workload, Experiment):
        index.add([plan.workload.name])
    try:
        for manifest in plan.manifests():
            _create(kube, plan.kind, manifest)
            created.append(_metadata(manifest).name)
    except HousectlError:
        for name in created:
            kube.delete(plan.kind, name)
        index.remove(plan.workload.name)
        raise


def create_missing(kube: Kube, kind: Kind, manifest: Manifest) -> None:
    """Create an object that another command may be creating at the same time.

    Raises:
        AlreadyExistsError: An object of another experiment has its name.
        ClusterError: The cluster rejects the object.
    """
    try:
        kube.create(kind, manifest)
    except ConflictError as error:
        owner = _owner(kube, kind, manifest)
        if owner != _instance(_metadata(manifest)):
            raise _name_taken(kube, kind, manifest, owner) from error


def _create(kube: Kube, kind: Kind, manifest: Manifest) -> None:
    try:
        kube.create(kind, manifest)
    except ConflictError as error:
        owner = _owner(kube, kind, manifest)
        raise _name_taken(kube, kind, manifest, owner) from error


def _name_taken(kube: Kube, kind: Kind, manifest: Manifest, owner: str) -> AlreadyExistsError:
    metadata = _metadata(manifest)
    if owner and owner == _instance(metadata) and kind is EXPERIMENTS:
        return already_exists_error(owner)
    existing = f"{kind.full_name}/{metadata.name}"
    if owner:
        return AlreadyExistsError(
            f"{owner} has {existing} already.",
            hint=f"housectl delete {owner}   # or choose another --name",
        )
    return AlreadyExistsError(
        f"The namespace {kube.namespace} has {existing} already, which housectl did not create.",
        hint=f"{kube.kubectl} delete {existing}   # or choose another --name",
    )


def _owner(kube: Kube, kind: Kind, manifest: Manifest) -> str:
    """Return the experiment or task of the existing object; empty if housectl did not create it."""
    return _instance(kube.get(kind, _metadata(manifest).name, NamedObject).metadata)


def _instance(metadata: ObjectMeta) -> str:
    return metadata.labels.get(INSTANCE_LABEL, "")


def _metadata(manifest: Manifest) -> ObjectMeta:
    return parse(NamedObject, manifest).metadata
