"""Project and namespace of the benchmarks on a cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from housectl.kube.client import Kube
from tools.project_directory import HOUSECTL


@dataclass(frozen=True, kw_only=True)
class ClusterBench:
    """The directory in which commands run, and the client of their namespace."""

    project: Path
    kube: Kube

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables that make every command use the namespace."""
        return {"HOUSECTL_BACKEND": "katib", "HOUSECTL_NAMESPACE": self.kube.namespace}

    def tune_command(self, name: str, *, trials: int) -> Sequence[str | Path]:
        """Return the command that runs a search."""
        return HOUSECTL, "tune", "--name", name, "--trials", str(trials)
