"""Persistent volume claims (PVCs)."""

from housectl.kube.objects.base import KubeObject, ObjectMeta


class PvcSpec(KubeObject):
    """The specification of a PVC."""

    access_modes: list[str] = []
    volume_name: str = ""


class PvcStatus(KubeObject):
    """The status of a PVC; `phase` is Pending, Bound or Lost."""

    phase: str = ""


class Pvc(KubeObject):
    """A persistent volume claim."""

    metadata: ObjectMeta
    spec: PvcSpec = PvcSpec()
    status: PvcStatus = PvcStatus()
