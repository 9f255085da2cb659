"""Handles of experiments and tasks on a cluster: URLs such as katib://CONTEXT/NAMESPACE/NAME."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from housectl.backends.base import Handle
from housectl.backends.katib.katib_objects import EXPERIMENTS, KatibExperiment
from housectl.backends.katib.labels_and_paths import EXPERIMENT, INSTANCE_LABEL, component_selector
from housectl.errors import UnknownExperimentError
from housectl.kube.client import Kube

_SCHEME = "katib://"


@dataclass(frozen=True)
class Handles:
    """The handles of one namespace of a cluster."""

    kube: Kube

    def make(self, name: str) -> Handle:
        """Return the handle for a name; the experiment or task need not exist."""
        context = quote(self.kube.server.context, safe="")
        return Handle(f"{_SCHEME}{context}/{self.kube.namespace}/{name}")

    def parse(self, text: str) -> Handle:
        """Return the handle for a name or a URL.

        Raises:
            UnknownExperimentError: The URL is of another cluster or namespace.
        """
        handle = Handle(text) if text.startswith(_SCHEME) else self.make(text)
        if handle != self.make(handle.name):
            raise UnknownExperimentError(
                f"{handle} is not in the current cluster and namespace: {self.make('')}.",
                hint="housectl list --context CONTEXT --namespace NAMESPACE",
            )
        return handle

    def list_experiments(self) -> Sequence[Handle]:
        """Return the handles of all experiments, newest first."""
        selector = component_selector(EXPERIMENT)
        started: dict[str, str] = {}
        for item in self.kube.list_as(EXPERIMENTS, KatibExperiment, labels=selector):
            name, time = item.metadata.labels[INSTANCE_LABEL], str(item.metadata.creation_timestamp)
            started[name] = min(started.get(name, time), time)
        return [self.make(name) for name in sorted(started, key=started.__getitem__, reverse=True)]
