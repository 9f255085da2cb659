"""Handles of experiments and tasks on a cluster: URLs such as katib://CONTEXT/NAMESPACE/NAME."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from housectl.backends.base import Handle
from housectl.backends.katib.katib_objects import EXPERIMENTS
from housectl.backends.katib.labels_and_paths import (
    EXPERIMENT,
    INSTANCE_LABEL,
    TASK,
    component_selector,
)
from housectl.backends.katib.volume.work_index import WorkIndex
from housectl.contract.path_names import checked_name
from housectl.errors import UnknownExperimentError
from housectl.kube.client import Kube
from housectl.kube.kinds import JOBS
from housectl.kube.objects.base import NamedObject, ObjectMeta

_SCHEME = "katib://"


@dataclass(frozen=True)
class Handles:
    """The handles of one namespace of a cluster; the index has names of which only files remain."""

    kube: Kube
    index: WorkIndex

    def make(self, name: str) -> Handle:
        """Return the handle for a name; the experiment or task need not exist."""
        context = quote(self.kube.server.context, safe="")
        return Handle(f"{_SCHEME}{context}/{self.kube.namespace}/{name}")

    def parse(self, text: str) -> Handle:
        """Return the handle for a name or a URL.

        Raises:
            UnknownExperimentError: The URL is of another cluster or namespace.
            UsageError: The name is invalid.
        """
        handle = Handle(text) if text.startswith(_SCHEME) else self.make(text)
        if handle != self.make(checked_name(handle.name)):
            raise UnknownExperimentError(
                f"{handle} is not in the current cluster and namespace: {self.make('')}.",
                hint="housectl list --context CONTEXT --namespace NAMESPACE",
            )
        return handle

    def list_experiments(self) -> Sequence[Handle]:
        """Return the handles of all experiments and then of incomplete deletions, newest first."""
        selector = component_selector(EXPERIMENT)
        experiments = self.kube.list_as(EXPERIMENTS, NamedObject, labels=selector)
        return self.of_experiments(item.metadata for item in experiments)

    def of_experiments(self, experiments: Iterable[ObjectMeta]) -> Sequence[Handle]:
        """Return the same for the metadata of all Katib Experiments."""
        started: dict[str, str] = {}
        deleted: dict[str, str] = {}
        for metadata in experiments:
            times = deleted if metadata.deletion_timestamp else started
            name, time = metadata.labels[INSTANCE_LABEL], str(metadata.creation_timestamp)
            times[name] = min(times.get(name, time), time)
        deleted |= {name: str(time) for name, time in self._without_objects(started).items()}
        names = [*_newest_first(started), *_newest_first(deleted)]
        return [self.make(name) for name in dict.fromkeys(names)]

    def _without_objects(self, experiments: Container[str]) -> Mapping[str, datetime]:
        """Return the names in the index that belong neither to an experiment nor to a task."""
        names = self.index.names()
        others = {name: added for name, added in names.items() if name not in experiments}
        if not others:
            return {}
        jobs = self.kube.list_as(JOBS, NamedObject, labels=component_selector(TASK))
        tasks = {job.metadata.labels[INSTANCE_LABEL] for job in jobs}
        return {name: added for name, added in others.items() if name not in tasks}


def _newest_first(times: Mapping[str, str]) -> Sequence[str]:
    return sorted(times, key=times.__getitem__, reverse=True)
