"""Check of the PVC for files of experiments and tasks that were deleted in another way."""

import re
from collections.abc import Sequence

from housectl.backends.doctor_check import CheckWarning
from housectl.backends.katib.katib_objects import EXPERIMENTS
from housectl.backends.katib.labels_and_paths import (
    EXPERIMENT,
    INSTANCE_LABEL,
    TASK,
    WORK,
    component_selector,
    mounted,
)
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.backends.katib.volume.pods import VolumePods
from housectl.backends.katib.volume.work_index import WorkIndex
from housectl.kube.client import Kube
from housectl.kube.kinds import JOBS
from housectl.kube.objects.base import NamedObject

_LIST = ["sh", "-c", '[ ! -d "$0" ] || ls -1 "$0"', mounted(WORK)]
# Names of Kubernetes objects; a volume may also have directories of other programs.
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_MAX_NAMES = 5


def check_leftovers(pods: VolumePods) -> str:
    """Check that each directory of outputs belongs to an experiment or task.

    Other names are added to the index of the PVC, so that they are listed and can be deleted.

    Raises:
        CheckWarning: Some directories belong to none.
        PodError: The pod does not start.
    """
    directories = _directories(pods)
    leftovers = sorted(set(directories) - _existing(pods.kube))
    if not leftovers:
        return f"the PVC {pods.pvc} has no files of deleted experiments"
    WorkIndex(kube=pods.kube, pvc=pods.pvc).add(leftovers)
    names = ", ".join(leftovers[:_MAX_NAMES]) + (" …" if leftovers[_MAX_NAMES:] else "")
    raise CheckWarning(
        f"The PVC {pods.pvc} has files of deleted experiments or tasks: {names}.",
        hint=f"housectl delete {leftovers[0]}   # housectl list shows all of them",
    )


def _directories(pods: VolumePods) -> Sequence[str]:
    with pods.running(read_only=True) as pod:
        streams = pods.kube.exec(pod, CONTAINER, _LIST)
        try:
            lines = b"".join(streams.read()).decode(errors="replace").splitlines()
        finally:
            streams.close()
    return [line for line in lines if _NAME.fullmatch(line)]


def _existing(kube: Kube) -> set[str]:
    """Return the names of all experiments and tasks."""
    return {
        item.metadata.labels[INSTANCE_LABEL]
        for kind, component in ((EXPERIMENTS, EXPERIMENT), (JOBS, TASK))
        for item in kube.list_as(kind, NamedObject, labels=component_selector(component))
    }
