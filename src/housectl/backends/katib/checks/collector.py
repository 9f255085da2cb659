"""Katib's metrics collector, whose image a node should have before the first trial comes there."""

from housectl.backends.katib.checks.katib_config import edit_config_command, read_katib_config
from housectl.backends.katib.volume.pods import VolumePods
from housectl.errors import ClusterError, PodError

_KIND = "StdOut"


def check_collector(pods: VolumePods) -> str:
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
