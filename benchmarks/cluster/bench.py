"""A project, and a namespace of a cluster to measure in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.workbench import HOUSECTL
from housectl.kube.client import Kube


@dataclass(frozen=True, kw_only=True)
class ClusterBench:
    """Where commands run, and where on the cluster their objects are."""

    project: Path
    kube: Kube

    @property
    def environment(self) -> Mapping[str, str]:
        """What makes every command use the namespace."""
        return {"HOUSECTL_BACKEND": "katib", "HOUSECTL_NAMESPACE": self.kube.namespace}

    def tune(self, name: str, *, trials: int) -> Sequence[str | Path]:
        """Return the command that searches."""
        return HOUSECTL, "tune", "--name", name, "--trials", str(trials)
