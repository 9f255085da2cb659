"""The trainer's image and the claim together, proven by a pod that has both."""

from housectl.backends.katib.containers import CONTAINER
from housectl.backends.katib.layout import MOUNT
from housectl.backends.katib.volume import Volume
from housectl.errors import PodError

_WRITE = ["sh", "-c", 'made=$(mktemp -d "$0/.housectl-XXXXXX") && rmdir "$made"', MOUNT]
_TRAIN = ["python", "-m", "trainer", "--help"]


def check_image(volume: Volume) -> str:
    """Whether a pod starts with the image, can write to the claim, and has the trainer.

    Raises:
        PodError: It does not; the message says why.
    """
    kubectl = volume.kube.kubectl
    with volume.pod(read_only=False) as pod:
        _run(volume, pod, _WRITE, cure=f"{kubectl} describe pvc {volume.claim}")
        _run(volume, pod, _TRAIN, cure="make images   # then name one: --image IMAGE")
    return f"a pod of {volume.image} writes to {volume.claim} and has the trainer"


def _run(volume: Volume, pod: str, command: list[str], *, cure: str) -> None:
    streams = volume.kube.exec(pod, CONTAINER, command)
    try:
        streams.finish()
    except PodError as error:
        raise PodError(
            f"The image {volume.image} with the claim {volume.claim}: {error.message}", hint=cure
        ) from error
    finally:
        streams.close()
