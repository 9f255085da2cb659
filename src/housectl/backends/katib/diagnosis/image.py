"""Why an image cannot be had."""

import re

from msgspec import structs

from housectl.backends.katib.diagnosis.cause import Cause, sentence
from housectl.backends.katib.diagnosis.pod import SeenPod
from housectl.kube.objects.pods import Container

# What kubelet and containerd put before the words of the registry.
_PREFIX = re.compile(
    r'(?:Back-off pulling image "[^"]*"|Failed to pull image "[^"]*"|ErrImagePull'
    r'|rpc error: code = \w+ desc =|failed to (?:pull and unpack image|resolve reference) "[^"]*"'
    r'|failed to do request|(?:Head|Get) "[^"]*"|\S+(?=: not found$))(?:: | |$)'
)
PULL_FAILED = "Failed to pull image "
_PULLED = re.compile(f'{PULL_FAILED}"(?P<image>[^"]*)"')
_FORMAT = "invalid reference format: "


def unpulled(seen: SeenPod, container: Container, message: str) -> Cause:
    """Return the cause of an image that cannot be pulled."""
    event = seen.told("Failed", saying=PULL_FAILED)
    told = event.message if event else ""
    if not container.image and (named := _PULLED.match(told)):
        container = structs.replace(container, image=named["image"])
    return Cause(
        what=sentence(
            f"the image {container.image} cannot be pulled",
            _registry_words(message) or _registry_words(told),
        ),
        cure=_pushing(seen, container) if "/" in container.image else _loading(seen, container),
    )


def not_on_node(seen: SeenPod, container: Container, message: str) -> Cause:
    """Return the cause of an image that must be on the node, and is not."""
    del message
    return Cause(
        what=f"{seen.node} has no image {container.image}, and its pull policy is Never.",
        cure=_loading(seen, container),
    )


def misnamed(seen: SeenPod, container: Container, message: str) -> Cause:
    """Return the cause of an image whose name is none."""
    said = message.partition(_FORMAT)[2] or message
    return Cause(
        what=sentence(f"{container.image} is no name of an image", said),
        cure=f"{seen.describe}   # then {seen.origin_of(container).image}",
    )


def is_pulling(seen: SeenPod) -> bool:
    """Whether a pod waits for nothing but an image that is on its way."""
    event = seen.told("Pulling", "Pulled", "Failed", "BackOff")
    return seen.pod.status.phase == "Pending" and event is not None and event.reason == "Pulling"


def _pushing(seen: SeenPod, container: Container) -> str:
    """Return the cure for an image that a registry should have."""
    return f"{seen.describe}   # then push the image, or {seen.origin_of(container).image}"


def _loading(seen: SeenPod, container: Container) -> str:
    """Return the cure for an image that only the node can have.

    One without a registry or an owner in its name cannot be pushed anywhere.
    """
    image = container.image
    return (
        f"minikube image load {image}   # with kind: kind load docker-image {image}; or "
        f"{seen.origin_of(container).image}"
    )


def _registry_words(message: str) -> str:
    while match := _PREFIX.match(message):
        message = message[match.end() :]
    return message
