"""A Katib backend with pods small enough for a small node."""

from pathlib import Path

from housectl.backends.katib.backend import KatibBackend
from housectl.backends.katib.katib_client import katib_client
from housectl.project.fields import KatibSettings
from tools.dev_cluster.images import TRAINER_IMAGE

SMALL_PODS = {"cpu": "100m", "memory": "256Mi", "image": TRAINER_IMAGE}


def katib_backend(
    namespace: str, inputs: Path, *, algorithm: str = KatibSettings.algorithm
) -> KatibBackend:
    """Return the backend for a prepared namespace; `inputs` contains inputs directories."""
    settings = KatibSettings(
        namespace=namespace,
        image=TRAINER_IMAGE,
        algorithm=algorithm,
        cpu="100m",
        memory=256 * 2**20,
    )
    kube = katib_client(None, namespace)
    return KatibBackend(kube, settings=settings, inputs=inputs)
