"""kubectl commands for hints."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class KubectlTarget:
    """A namespace of a cluster, for kubectl commands.

    Attributes:
        context: Context of the kubeconfig; None for the current one.
    """

    namespace: str
    context: str | None = None

    def kubectl(self, command: str) -> str:
        """Return a kubectl command for an object in this namespace."""
        return f"{self.cluster_kubectl(command)} -n {self.namespace}"

    def cluster_kubectl(self, command: str) -> str:
        """Return a kubectl command for an object without a namespace, or with its own `-n`."""
        context = f" --context {self.context}" if self.context else ""
        return f"kubectl{context} {command}"
