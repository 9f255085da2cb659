"""Why the containers of a pod do not start."""

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

# A mount that fails once is tried again and usually works.
_MOUNT_PATIENCE = timedelta(seconds=30)
_MOUNT_TRIES = 3
_UNMOUNTED = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")
# Images are pulled when all is mounted.
_MOUNTED = ("SuccessfulAttachVolume", "Pulling", "Pulled")

_ABSENT = re.compile(r'(?P<kind>configmap|secret) "(?P<name>[^"]+)" not found')
_KEY = re.compile(r"couldn't find key (?P<key>\S+) in (?P<kind>ConfigMap|Secret) \S+/(?P<name>\S+)")
_MOUNTING = re.compile(r'MountVolume\.\w+ failed for volume "[^"]*" : ')
_OF_COMMAND = re.compile(
    r"no command specified$|unable to start container process: ", re.IGNORECASE
)
_RUNC = re.compile(r".*unable to start container process: ", re.DOTALL)


def container_not_started(seen: PodContext) -> Cause | None:
    """Return why a container waits, if it waits for what does not come by itself."""
    for status in seen.container_statuses():
        waiting = status.state.waiting
        if waiting and (found := _WAITING.get(waiting.reason)):
            return found(seen, seen.container(status.name), waiting.message)
    return None


def volume_not_mounted(seen: PodContext) -> Cause | None:
    """Return why a pod on a node has no containers: a volume that cannot be mounted, most often."""
    event = seen.latest_event(*_UNMOUNTED)
    creating = any(
        status.state.waiting and status.state.waiting.reason == "ContainerCreating"
        for status in seen.container_statuses()
    )
    if event is None or not creating:
        return None
    if event.times < _MOUNT_TRIES and seen.age < _MOUNT_PATIENCE:
        return None
    return volume_not_mounted_from_events(seen)


def container_not_started_from_events(seen: PodContext) -> Cause | None:
    """Return why a container has not started, from the events about it."""
    failed = [each for each in seen.own_events if each.container not in seen.started_containers]
    event = latest_event(failed, "Failed")
    if event is None:
        return None
    said = event.message.removeprefix("Error: ")
    explained = (
        image_pull_failed
        if said.startswith(PULL_FAILED)
        else _WAITING.get(said, _container_create_failed)
    )
    return explained(seen, seen.container(event.container), "" if said in _WAITING else said)


def volume_not_mounted_from_events(seen: PodContext) -> Cause | None:
    """Return why the volumes of a pod were not mounted, from the events about it."""
    event = seen.latest_event(*_UNMOUNTED, *_MOUNTED)
    if event is None or event.reason in _MOUNTED:
        return None
    said = _MOUNTING.sub("", event.message)
    return _of_absent(seen, said) or Cause(
        message=sentence("its pod cannot be set up", said), hint=seen.describe_command
    )


def start_failure(seen: PodContext, container: Container, message: str) -> Cause:
    """Return the cause of a container whose command cannot be started."""
    said = _RUNC.sub("", message).removesuffix(": unknown")
    return Cause(
        message=sentence(f"the command of the image {container.image} cannot be started", said),
        hint=f"{seen.describe_command}   # then {seen.config_source_of(container).image_hint}",
    )


def _container_create_failed(seen: PodContext, container: Container, message: str) -> Cause:
    """Return why a container cannot be made; most runtimes look for its command later."""
    explained = start_failure if _OF_COMMAND.search(message) else _misconfigured
    return explained(seen, container, message)


def _misconfigured(seen: PodContext, container: Container, message: str) -> Cause:
    if cause := _of_absent(seen, message):
        return cause
    if "will run as root" in message:
        what = f"the image {container.image} runs as root, which runAsNonRoot forbids."
        return Cause(
            message=what,
            hint=f"{seen.describe_command}   # then {seen.config_source_of(container).image_hint}",
        )
    return Cause(
        message=sentence("its container cannot be made", message), hint=seen.describe_command
    )


def _of_absent(seen: PodContext, message: str) -> Cause | None:
    """Return the cause if a config map, a secret, or a key of one is missing."""
    match = _ABSENT.search(message)
    if match:
        kind, name = match["kind"], match["name"]
        return Cause(
            message=f"it needs the {kind} {name}, which is not in the namespace "
            f"{seen.target.namespace}.",
            hint=seen.target.kubectl(f"get {kind}s"),
        )
    match = _KEY.search(message)
    if match:
        kind, name = match["kind"].lower(), match["name"]
        return Cause(
            message=f"it needs the key {match['key']} of the {kind} {name}, which has none of that "
            "name.",
            hint=seen.target.kubectl(f"describe {kind} {name}"),
        )
    return None


_WAITING: Mapping[str, Callable[[PodContext, Container, str], Cause]] = {
    "ErrImagePull": image_pull_failed,
    "ImagePullBackOff": image_pull_failed,
    "RegistryUnavailable": image_pull_failed,
    "ErrImageNeverPull": image_missing_on_node,
    "InvalidImageName": invalid_image_name,
    "CreateContainerConfigError": _misconfigured,
    "CreateContainerError": _container_create_failed,
    "RunContainerError": start_failure,
}
