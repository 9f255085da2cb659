"""Causes of containers that do not start, from their waiting state and events; also of volumes."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta

from housectl.backends.katib.diagnosis.cause import Cause, sentence
from housectl.backends.katib.diagnosis.image import (
    PULL_FAILED,
    image_missing_on_node,
    image_pull_failed,
    invalid_image_name,
)
from housectl.backends.katib.diagnosis.pod_context import PodContext
from housectl.kube.objects.events import latest_event
from housectl.kube.objects.pods import Container

# The kubelet retries a failed mount, and the second attempt usually succeeds.
_MOUNT_GRACE_TIME = timedelta(seconds=30)
_MOUNT_ATTEMPTS = 3
_MOUNT_FAILED = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")
# Images are pulled after all volumes are mounted.
_MOUNT_SUCCEEDED = ("SuccessfulAttachVolume", "Pulling", "Pulled")

_OBJECT_NOT_FOUND = re.compile(r'(?P<kind>configmap|secret) "(?P<name>[^"]+)" not found')
_KEY_NOT_FOUND = re.compile(
    r"couldn't find key (?P<key>\S+) in (?P<kind>ConfigMap|Secret) \S+/(?P<name>\S+)"
)
_MOUNT_PREFIX = re.compile(r'MountVolume\.\w+ failed for volume "[^"]*" : ')
_COMMAND_FAILED = re.compile(
    r"no command specified$|unable to start container process: ", re.IGNORECASE
)
_RUNC_PREFIX = re.compile(r".*unable to start container process: ", re.DOTALL)


def container_not_started(context: PodContext) -> Cause | None:
    """Return the cause of a waiting container that cannot start by itself."""
    for status in context.container_statuses():
        waiting = status.state.waiting
        if waiting and (make_cause := _CAUSE_BY_REASON.get(waiting.reason)):
            return make_cause(context, context.container(status.name), waiting.message)
    return None


def volume_not_mounted(context: PodContext) -> Cause | None:
    """Return the cause of a scheduled pod without containers, usually a volume mount."""
    event = context.latest_event(*_MOUNT_FAILED)
    creating = any(
        status.state.waiting and status.state.waiting.reason == "ContainerCreating"
        for status in context.container_statuses()
    )
    if event is None or not creating:
        return None
    if event.times < _MOUNT_ATTEMPTS and context.age < _MOUNT_GRACE_TIME:
        return None
    return volume_not_mounted_from_events(context)


def container_not_started_from_events(context: PodContext) -> Cause | None:
    """Return the cause of a container that has not started, from the pod's events."""
    started = context.started_containers
    events = [event for event in context.own_events if event.container not in started]
    event = latest_event(events, "Failed")
    if event is None:
        return None
    message = event.message.removeprefix("Error: ")
    container = context.container(event.container)
    if make_cause := _CAUSE_BY_REASON.get(message):
        return make_cause(context, container, "")
    if message.startswith(PULL_FAILED):
        return image_pull_failed(context, container, message)
    return _container_create_failed(context, container, message)


def volume_not_mounted_from_events(context: PodContext) -> Cause | None:
    """Return the cause of a failed volume mount, from the pod's events."""
    event = context.latest_event(*_MOUNT_FAILED, *_MOUNT_SUCCEEDED)
    if event is None or event.reason in _MOUNT_SUCCEEDED:
        return None
    message = _MOUNT_PREFIX.sub("", event.message)
    return _missing_config(context, message) or Cause(
        message=sentence("its pod cannot be set up", message), hint=context.describe_command
    )


def command_failed(context: PodContext, container: Container, message: str) -> Cause:
    """Return the cause of a container whose command cannot be started."""
    problem = _RUNC_PREFIX.sub("", message).removesuffix(": unknown")
    return Cause(
        message=sentence(f"the command of the image {container.image} cannot be started", problem),
        hint=context.describe_and_change_image(container),
    )


def _container_create_failed(context: PodContext, container: Container, message: str) -> Cause:
    """Return the cause of a container that cannot be created.

    Some runtimes look up the command at this point, most of them later.
    """
    make_cause = command_failed if _COMMAND_FAILED.search(message) else _invalid_config
    return make_cause(context, container, message)


def _invalid_config(context: PodContext, container: Container, message: str) -> Cause:
    if cause := _missing_config(context, message):
        return cause
    if "will run as root" in message:
        return Cause(
            message=f"the image {container.image} runs as root, which runAsNonRoot forbids.",
            hint=context.describe_and_change_image(container),
        )
    return Cause(
        message=sentence("its container cannot be created", message), hint=context.describe_command
    )


def _missing_config(context: PodContext, message: str) -> Cause | None:
    """Return the cause if a config map, a secret, or a key of one is missing."""
    if match := _OBJECT_NOT_FOUND.search(message):
        kind, name = match["kind"], match["name"]
        return Cause(
            message=f"the {kind} {name} is missing in the namespace {context.target.namespace}.",
            hint=context.target.kubectl(f"get {kind}s"),
        )
    if match := _KEY_NOT_FOUND.search(message):
        kind, name = match["kind"].lower(), match["name"]
        return Cause(
            message=f"the key {match['key']} is missing in the {kind} {name}.",
            hint=context.target.kubectl(f"describe {kind} {name}"),
        )
    return None


_CAUSE_BY_REASON: Mapping[str, Callable[[PodContext, Container, str], Cause]] = {
    "ErrImagePull": image_pull_failed,
    "ImagePullBackOff": image_pull_failed,
    "RegistryUnavailable": image_pull_failed,
    "ErrImageNeverPull": image_missing_on_node,
    "InvalidImageName": invalid_image_name,
    "CreateContainerConfigError": _invalid_config,
    "CreateContainerError": _container_create_failed,
    "RunContainerError": command_failed,
}
