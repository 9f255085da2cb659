"""The trainer's image and the claim together, proven by a pod that has both."""

from housectl.backends.katib.checks.katib_config import edit_config_command, read_katib_config
from housectl.backends.katib.naming import MOUNT
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.backends.katib.volume.pods import VolumePods
from housectl.errors import ClusterError, PodError

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


_KIND = "StdOut"


def check_collector_image(pods: VolumePods) -> str:
    """Whether a node gets the collector's image, which it has from then on.

    Where it does not have it, the first trial may be over before the image has come: a trainer is
    started before the collector beside it is pulled.

    Raises:
        PodError: The image cannot be pulled.
        ClusterError: There is no such collector.
        Concern: The configuration cannot be read.
    """
    kube = pods.kube
    image = read_katib_config(kube, "Katib's collector").collectors.get(_KIND)
    hint = f"{edit_config_command(kube)}   # under `kind: {_KIND}`: an image that nodes can pull"
    if image is None:
        raise ClusterError(
            f"Katib is configured without a metrics collector of the kind {_KIND}, which every "
            "trial needs.",
            hint=hint,
        )
    try:
        with pods.running(read_only=True, extra_images=[image]):
            return f"a pod with {image} beside the trainer"
    except PodError as error:
        raise PodError(f"Katib's metrics collector: {error.message}", hint=hint) from error
