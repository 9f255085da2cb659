"""Creating objects on the cluster, under names that nothing else may have."""

from collections.abc import Sequence

from housectl.backends.katib.naming import INSTANCE_LABEL
from housectl.backends.katib.plan.pod_spec import Manifest
from housectl.backends.messages import already_exists
from housectl.errors import AlreadyExistsError, ConflictError, HousectlError
from housectl.kube.client import Kube
from housectl.kube.kinds import EXPERIMENTS, kind_of
from housectl.kube.objects.base import NamedObject, ObjectMeta, parse


def create_all(kube: Kube, manifests: Sequence[Manifest]) -> None:
    """Create objects, all or none.

    Raises:
        NameTakenError: Something has one of the names.
        ClusterError: The cluster refuses one of them.
    """
    made: list[Manifest] = []
    try:
        for manifest in manifests:
            _create(kube, manifest)
            made.append(manifest)
    except HousectlError:
        for manifest in made:
            kube.delete(kind_of(manifest), _metadata(manifest).name)
        raise


def create_missing(kube: Kube, manifest: Manifest) -> None:
    """Create an object that another command may be creating at the same time.

    Raises:
        NameTakenError: Something else has its name.
        ClusterError: The cluster refuses it.
    """
    try:
        kube.create(manifest)
    except ConflictError as error:
        owner = _owner(kube, manifest)
        if owner != _instance(_metadata(manifest)):
            raise _taken(kube, manifest, owner) from error


def _create(kube: Kube, manifest: Manifest) -> None:
    try:
        kube.create(manifest)
    except ConflictError as error:
        raise _taken(kube, manifest, _owner(kube, manifest)) from error


def _taken(kube: Kube, manifest: Manifest, owner: str) -> AlreadyExistsError:
    kind, metadata = kind_of(manifest), _metadata(manifest)
    if owner and owner == _instance(metadata) and kind is EXPERIMENTS:
        return already_exists(owner)
    found = f"{kind.full_name}/{metadata.name}"
    if owner:
        return AlreadyExistsError(
            f"{owner} has {found} already.",
            hint=f"housectl delete {owner}   # or choose another --name",
        )
    return AlreadyExistsError(
        f"The namespace {kube.namespace} has {found} already, which housectl did not make.",
        hint=f"{kube.kubectl} delete {found}   # or choose another --name",
    )


def _owner(kube: Kube, manifest: Manifest) -> str:
    """Return the experiment or task that has an object of this kind and name; empty if none."""
    return _instance(kube.get(kind_of(manifest), _metadata(manifest).name, NamedObject).metadata)


def _instance(metadata: ObjectMeta) -> str:
    return metadata.labels.get(INSTANCE_LABEL, "")


def _metadata(manifest: Manifest) -> ObjectMeta:
    return parse(NamedObject, manifest).metadata
