"""The trainer's image and the claim together, proven by a pod that has both."""

from housectl.backends.katib.naming import MOUNT
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.backends.katib.volume.pods import VolumePods
from housectl.errors import PodError

_WRITE = ["sh", "-c", 'made=$(mktemp -d "$0/.housectl-XXXXXX") && rmdir "$made"', MOUNT]
_TRAIN = ["python", "-m", "housectl_trainer", "--help"]


def check_image(pods: VolumePods) -> str:
    """Whether a pod starts with the image, can write to the claim, and has the trainer.

    Raises:
        PodError: It does not; the message says why.
    """
    kubectl = pods.kube.kubectl
    with pods.running(read_only=False) as pod:
        _run(pods, pod, _WRITE, hint=f"{kubectl} describe pvc {pods.pvc}")
        _run(pods, pod, _TRAIN, hint="make images   # then name one: --image IMAGE")
    return f"a pod of {pods.image} writes to {pods.pvc} and has the trainer"


def _run(pods: VolumePods, pod: str, command: list[str], *, hint: str) -> None:
    streams = pods.kube.exec(pod, CONTAINER, command)
    try:
        streams.finish()
    except PodError as error:
        raise PodError(
            f"The image {pods.image} with the claim {pods.pvc}: {error.message}", hint=hint
        ) from error
    finally:
        streams.close()
