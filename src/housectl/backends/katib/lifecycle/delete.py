"""Deletion of an experiment's or a task's files and objects, which can be resumed at any point."""

from collections.abc import Sequence

from housectl.backends.katib.katib_objects import EXPERIMENTS, TRIALS
from housectl.backends.katib.labels_and_paths import JOB_LABEL, owned_selector, work_path
from housectl.backends.katib.lifecycle.poll import TO_DELETE, poll_until
from housectl.backends.katib.volume.transfer import Volume
from housectl.backends.katib.volume.work_index import WorkIndex
from housectl.kube.client import Kube
from housectl.kube.kinds import JOBS, PODS, Kind
from housectl.kube.objects.base import NamedObject

# An experiment comes before its trials, and a trial before its job: Katib creates missing ones.
_KINDS = (EXPERIMENTS, TRIALS, JOBS)


def delete_workload(
    volume: Volume, name: str, *, is_ended_task: bool, fallback_image: str | None
) -> None:
    """Delete the files and objects of an experiment or task. Idempotent.

    The index of the PVC keeps the name until the files are gone, because Katib may delete the
    objects at any time later.

    Args:
        volume: The volume with the files.
        name: Name of the experiment or task.
        is_ended_task: True for a task that writes no more files.
        fallback_image: Image for the removal of files if the volume's image does not start.

    Raises:
        ClusterError: Some files or objects remain; the deletion can be resumed.
    """
    kube, index = volume.pods.kube, WorkIndex(kube=volume.pods.kube, pvc=volume.pods.pvc)
    has_files = volume.exists()
    if not is_ended_task:
        if has_files:
            index.add([name])
        delete_writers(kube, name)
    # Another command may submit an ended task again as soon as its objects are gone.
    if has_files:
        volume.remove([work_path(name)], fallback_image=fallback_image)
        index.remove(name)
    delete_writers(kube, name)
    wait_until_gone(kube, name)


def delete_writers(kube: Kube, name: str) -> None:
    """Delete the objects of an experiment or task, and wait until no pod of it can write files.

    Experiments and trials may remain while Katib cannot remove its finalizers.

    Raises:
        ClusterError: Some pod remains.
    """
    # The pods of jobs may remain after their job, and write files until then.
    pods = f"{owned_selector(name)},{JOB_LABEL}"

    def no_writers() -> bool:
        _delete(kube, name)
        return not _names(kube, JOBS, name) and not kube.list_as(PODS, NamedObject, labels=pods)

    # Kubernetes ends pods without Katib.
    poll_until(kube, no_writers, problem=f"The pods of {name} have not ended", requirements=())


def wait_until_gone(kube: Kube, name: str) -> None:
    """Wait until all objects of an experiment or task are gone.

    Raises:
        ClusterError: Some object remains.
    """

    def is_gone() -> bool:
        return not any(_names(kube, kind, name) for kind in _KINDS)

    poll_until(kube, is_gone, problem=f"Katib has not deleted {name}", requirements=TO_DELETE)


def _delete(kube: Kube, name: str) -> None:
    """Request the deletion of all objects, including those that Katib has just created.

    A search has thousands of trials, so one request deletes all objects of a kind.
    """
    for kind in _KINDS:
        objects = _objects(kube, kind, name)
        if any(item.metadata.deletion_timestamp is None for item in objects):
            kube.delete_selected(kind, labels=owned_selector(name))


def _names(kube: Kube, kind: Kind, name: str) -> Sequence[str]:
    return [item.metadata.name for item in _objects(kube, kind, name)]


def _objects(kube: Kube, kind: Kind, name: str) -> Sequence[NamedObject]:
    return kube.list_as(kind, NamedObject, labels=owned_selector(name))
