"""The index of the PVC: names of the experiments that may have files on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from housectl.backends.katib.labels_and_paths import WORK_PREFIX
from housectl.errors import NotFoundError
from housectl.kube.client import Kube
from housectl.kube.kinds import PVCS
from housectl.kube.objects.pvcs import Pvc


@dataclass(frozen=True, kw_only=True)
class WorkIndex:
    """The names of experiments and tasks with files on a PVC, in annotations of the PVC.

    A name is added before the first file, and removed after the last one. So a deletion can be
    resumed when the cluster has no object of that name any more.
    """

    kube: Kube
    pvc: str

    def names(self) -> Mapping[str, datetime]:
        """Return the names with the time at which each was added; none without the PVC."""
        try:
            annotations = self.kube.get(PVCS, self.pvc, Pvc).metadata.annotations
        except NotFoundError:
            return {}
        return {
            key.removeprefix(WORK_PREFIX): datetime.fromisoformat(time)
            for key, time in annotations.items()
            if key.startswith(WORK_PREFIX)
        }

    def add(self, names: Iterable[str]) -> None:
        """Add names that the index does not have."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        added = dict.fromkeys(set(names) - self.names().keys(), now)
        if added:
            self._annotate(added)

    def remove(self, name: str) -> None:
        """Remove a name. Idempotent."""
        if name in self.names():
            self._annotate({name: None})

    def _annotate(self, values: Mapping[str, str | None]) -> None:
        annotations = {f"{WORK_PREFIX}{name}": value for name, value in values.items()}
        self.kube.patch(PVCS, self.pvc, {"metadata": {"annotations": annotations}})
