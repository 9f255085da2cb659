"""Claims to a volume."""

from housectl.kube.objects.base import KubeObject, ObjectMeta


class PvcSpec(KubeObject):
    """What a claim asks for."""

    access_modes: list[str] = []
    volume_name: str = ""


class PvcStatus(KubeObject):
    """How a claim stands; `phase` is Pending, Bound or Lost."""

    phase: str = ""


class Pvc(KubeObject):
    """A persistent volume claim."""

    metadata: ObjectMeta
    spec: PvcSpec = PvcSpec()
    status: PvcStatus = PvcStatus()

    def has_inputs(self, digest: str) -> bool:
        """Whether the inputs with this digest were brought to it."""
        return inputs_mark(digest) in self.metadata.annotations


def inputs_mark(digest: str) -> str:
    """Return the annotation of a claim that the inputs with this digest were brought to."""
    return f"housectl/inputs-{digest[:40]}"
