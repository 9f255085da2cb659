"""Check of the service of the algorithm `housectl`: a pod with its registered image."""

import json
from dataclasses import replace

from housectl.backends.katib.checks.common import init_command
from housectl.backends.katib.checks.katib_config import read_katib_config
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.backends.katib.volume.pods import VolumePods
from housectl.errors import ClusterError, PodError
from housectl.search.katib_texts import ALGORITHM
from housectl.search.sampler import SAMPLER_VERSION

_VERSION = ["python", "-P", "-m", "housectl_suggestion", "--version"]


def check_service(pods: VolumePods) -> str:
    """Check that a node has the registered image, with this client's version of the sampler.

    Raises:
        PodError: The image cannot be started, or is another one.
        ClusterError: It has another version of the sampler.
        CheckWarning: Katib's configuration cannot be read.
    """
    kube = pods.kube
    image = read_katib_config(kube, "The algorithm").algorithm_images.get(ALGORITHM, "")
    register = f"{init_command(kube)} --suggestion-image"
    hint = f"{register} IMAGE   # registers another image, such as one of `make images`"
    try:
        version = _version(replace(pods, image=image))
    except PodError as error:
        raise PodError(
            f"The image {image} of the algorithm {ALGORITHM} does not work: {error.message}",
            hint=hint,
        ) from error
    if version != SAMPLER_VERSION:
        raise ClusterError(
            f"The image {image} of the algorithm {ALGORITHM} has sampler {version}, but this "
            f"housectl has sampler {SAMPLER_VERSION}: Katib would reject the search.",
            hint=hint,
        )
    return f"a pod with {image} starts, and has sampler {version}"


def _version(pods: VolumePods) -> int:
    with pods.running(read_only=True) as pod:
        streams = pods.kube.exec(pod, CONTAINER, _VERSION)
        try:
            output = b"".join(streams.read())
        finally:
            streams.close()
    return int(json.loads(output)["sampler"])
