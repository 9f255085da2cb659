"""Deployments."""

from housectl.kube.objects.base import KubeObject, ObjectMeta


class DeploymentStatus(KubeObject):
    """The status of a deployment: its number of pods, and of ready ones."""

    replicas: int = 0
    ready_replicas: int = 0


class Deployment(KubeObject):
    """A deployment."""

    metadata: ObjectMeta
    status: DeploymentStatus = DeploymentStatus()

    @property
    def has_pods(self) -> bool:
        """True if it has pods, ready or not."""
        return self.status.replicas > 0

    @property
    def is_ready(self) -> bool:
        """True if one of its pods is ready."""
        return self.status.ready_replicas > 0
