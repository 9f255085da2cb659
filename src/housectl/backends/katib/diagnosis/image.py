"""Causes of image pull failures, from waiting containers and their events."""

import re

from msgspec import structs

from housectl.backends.katib.diagnosis.cause import Cause, sentence
from housectl.backends.katib.diagnosis.pod_context import PodContext
from housectl.kube.objects.pods import Container

# The texts that kubelet and containerd put before the registry's error.
_PREFIX = re.compile(
    r'(?:Back-off pulling image "[^"]*"|Failed to pull image "[^"]*"|ErrImagePull'
    r'|rpc error: code = \w+ desc =|failed to (?:pull and unpack image|resolve reference) "[^"]*"'
    r'|failed to do request|(?:Head|Get) "[^"]*"|\S+(?=: not found$))(?:: | |$)'
)
PULL_FAILED = "Failed to pull image "
_PULLED_IMAGE = re.compile(f'{PULL_FAILED}"(?P<image>[^"]*)"')
_FORMAT = "invalid reference format: "


def image_pull_failed(context: PodContext, container: Container, message: str) -> Cause:
    """Return the cause of a failed image pull."""
    event = context.latest_event("Failed", containing=PULL_FAILED)
    event_message = event.message if event else ""
    if not container.image and (pulled := _PULLED_IMAGE.match(event_message)):
        container = structs.replace(container, image=pulled["image"])
    return Cause(
        message=sentence(
            f"the image {container.image} cannot be pulled",
            _registry_error(message) or _registry_error(event_message),
        ),
        hint=_push_hint(context, container)
        if "/" in container.image
        else _load_hint(context, container),
    )


def image_missing_on_node(context: PodContext, container: Container, message: str) -> Cause:
    """Return the cause of an image that is never pulled and is missing on the node."""
    del message
    return Cause(
        message=f"the image {container.image} is missing on {context.node}, and its pull policy is "
        "Never.",
        hint=_load_hint(context, container),
    )


def invalid_image_name(context: PodContext, container: Container, message: str) -> Cause:
    """Return the cause of an invalid image name."""
    problem = message.partition(_FORMAT)[2] or message
    return Cause(
        message=sentence(f"{container.image} is an invalid image name", problem),
        hint=context.describe_and_change_image(container),
    )


def is_pulling(context: PodContext) -> bool:
    """Return True if the pod only waits for an image that is being pulled."""
    event = context.latest_event("Pulling", "Pulled", "Failed", "BackOff")
    return context.pod.status.phase == "Pending" and event is not None and event.reason == "Pulling"


def _push_hint(context: PodContext, container: Container) -> str:
    """Return the hint for an image of a registry."""
    image_hint = context.config_source_of(container).image_hint
    return f"{context.describe_command}   # then push the image, or {image_hint}"


def _load_hint(context: PodContext, container: Container) -> str:
    """Return the hint for an image that must be loaded to the node.

    An image without a registry or an owner in its name cannot be pushed.
    """
    image, image_hint = container.image, context.config_source_of(container).image_hint
    return (
        f"minikube image load {image}   # with kind: kind load docker-image {image}; or "
        f"{image_hint}"
    )


def _registry_error(message: str) -> str:
    while match := _PREFIX.match(message):
        message = message[match.end() :]
    return message
