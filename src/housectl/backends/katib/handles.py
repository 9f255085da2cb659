"""The names of experiments and tasks on a cluster, as URLs such as katib://CONTEXT/NAMESPACE/NAME."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from housectl.backends.base import Handle
from housectl.backends.katib.katib_objects import EXPERIMENTS, KatibExperiment
from housectl.backends.katib.naming import EXPERIMENT, INSTANCE_LABEL, selector_of_all
from housectl.errors import UnknownExperimentError
from housectl.kube.client import Kube

_SCHEME = "katib://"


@dataclass(frozen=True)
class Handles:
    """The handles of one namespace of a cluster."""

    kube: Kube

    def make(self, name: str) -> Handle:
        """Return the handle of what has this name here, if anything has."""
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
                f"{handle} is on another cluster or in another namespace than {self.make('')}.",
                hint="housectl list --context CONTEXT --namespace NAMESPACE",
            )
        return handle

    def list_experiments(self) -> Sequence[Handle]:
        """Return the handles of all experiments, the newest first."""
        members = self.kube.list_as(
            EXPERIMENTS, KatibExperiment, labels=selector_of_all(EXPERIMENT)
        )
        begun: dict[str, str] = {}
        for member in members:
            name, time = member.metadata.labels[INSTANCE_LABEL], member.metadata.creation_timestamp
            begun[name] = min(begun.get(name, str(time)), str(time))
        return [self.make(name) for name in sorted(begun, key=begun.__getitem__, reverse=True)]
