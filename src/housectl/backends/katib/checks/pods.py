"""Checks that start a pod: the trainer's image with the PVC, and the image of Katib's collector."""

from housectl.backends.katib.checks.katib_config import edit_config_command, read_katib_config
from housectl.backends.katib.labels_and_paths import MOUNT
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.backends.katib.volume.pods import VolumePods
from housectl.backends.trainer_argv import trainer_argv
from housectl.errors import ClusterError, PodError

_COLLECTOR_KIND = "StdOut"
_WRITE = ["sh", "-c", 'made=$(mktemp -d "$0/.housectl-XXXXXX") && rmdir "$made"', MOUNT]
_TRAIN = ["python", *trainer_argv("--help", ())]


def check_image(pods: VolumePods) -> str:
    """Check that a pod starts with the image, can write to the PVC, and has the trainer.

    Raises:
        PodError: One of these fails.
    """
    kubectl = pods.kube.kubectl
    with pods.running(read_only=False) as pod:
        _run(pods, pod, _WRITE, hint=f"{kubectl} describe pvc {pods.pvc}")
        _run(pods, pod, _TRAIN, hint="make images   # then choose an image: --image IMAGE")
    return f"a pod with {pods.image} writes to the PVC {pods.pvc} and has the trainer"


def _run(pods: VolumePods, pod: str, command: list[str], *, hint: str) -> None:
    streams = pods.kube.exec(pod, CONTAINER, command)
    try:
        streams.finish()
    except PodError as error:
        raise PodError(
            f"The image {pods.image} with the PVC {pods.pvc} does not work: {error.message}",
            hint=hint,
        ) from error
    finally:
        streams.close()


def check_collector_image(pods: VolumePods) -> str:
    """Check that a node can pull the image of Katib's metrics collector, which it then keeps.

    Kubernetes starts a trainer before it pulls the collector's image. Without the image on the
    node, the first trial may end before its collector starts.

    Raises:
        PodError: The image cannot be pulled.
        ClusterError: Katib's configuration has no such collector.
        CheckWarning: The configuration cannot be read.
    """
    kube = pods.kube
    image = read_katib_config(kube, "Katib's collector").collectors.get(_COLLECTOR_KIND)
    edit = edit_config_command(kube)
    hint = f"{edit}   # under `kind: {_COLLECTOR_KIND}`: an image that nodes can pull"
    if image is None:
        raise ClusterError(
            f"Katib's configuration lacks a metrics collector of the kind {_COLLECTOR_KIND}: every "
            "trial needs it.",
            hint=hint,
        )
    try:
        with pods.running(read_only=True, extra_images=[image]):
            return f"a pod with {image} beside the trainer starts"
    except PodError as error:
        raise PodError(
            f"Katib's metrics collector cannot be started: {error.message}", hint=hint
        ) from error
