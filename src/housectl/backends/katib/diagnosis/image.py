"""Why an image cannot be had."""

import re

from msgspec import structs

from housectl.backends.katib.diagnosis.cause import Cause, sentence
from housectl.backends.katib.diagnosis.pod_context import PodContext
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


def image_pull_failed(seen: PodContext, container: Container, message: str) -> Cause:
    """Return the cause of an image that cannot be pulled."""
    event = seen.latest_event("Failed", containing=PULL_FAILED)
    told = event.message if event else ""
    if not container.image and (named := _PULLED.match(told)):
        container = structs.replace(container, image=named["image"])
    return Cause(
        message=sentence(
            f"the image {container.image} cannot be pulled",
            _registry_words(message) or _registry_words(told),
        ),
        hint=_pushing(seen, container) if "/" in container.image else _loading(seen, container),
    )


def image_missing_on_node(seen: PodContext, container: Container, message: str) -> Cause:
    """Return the cause of an image that must be on the node, and is not."""
    del message
    return Cause(
        message=f"{seen.node} has no image {container.image}, and its pull policy is Never.",
        hint=_loading(seen, container),
    )


def invalid_image_name(seen: PodContext, container: Container, message: str) -> Cause:
    """Return the cause of an image whose name is none."""
    said = message.partition(_FORMAT)[2] or message
    return Cause(
        message=sentence(f"{container.image} is no name of an image", said),
        hint=f"{seen.describe_command}   # then {seen.config_source_of(container).image_hint}",
    )


def is_pulling(seen: PodContext) -> bool:
    """Whether a pod waits for nothing but an image that is on its way."""
    event = seen.latest_event("Pulling", "Pulled", "Failed", "BackOff")
    return seen.pod.status.phase == "Pending" and event is not None and event.reason == "Pulling"


def _pushing(seen: PodContext, container: Container) -> str:
    """Return the hint for an image that a registry should have."""
    return f"{seen.describe_command}   # then push the image, or {seen.config_source_of(container).image_hint}"


def _loading(seen: PodContext, container: Container) -> str:
    """Return the hint for an image that only the node can have.

    One without a registry or an owner in its name cannot be pushed anywhere.
    """
    image = container.image
    return (
        f"minikube image load {image}   # with kind: kind load docker-image {image}; or "
        f"{seen.config_source_of(container).image_hint}"
    )


def _registry_words(message: str) -> str:
    while match := _PREFIX.match(message):
        message = message[match.end() :]
    return message
