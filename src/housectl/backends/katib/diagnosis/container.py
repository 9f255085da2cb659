"""Why the containers of a pod do not start."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta

from housectl.backends.katib.diagnosis.cause import Cause, sentence
from housectl.backends.katib.diagnosis.image import PULL_FAILED, misnamed, not_on_node, unpulled
from housectl.backends.katib.diagnosis.pod import SeenPod, newest
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


def unstarted(seen: SeenPod) -> Cause | None:
    """Return why a container waits, if it waits for what does not come by itself."""
    for status in seen.statuses():
        waiting = status.state.waiting
        if waiting and (found := _WAITING.get(waiting.reason)):
            return found(seen, seen.container(status.name), waiting.message)
    return None


def unmounted(seen: SeenPod) -> Cause | None:
    """Return why a pod on a node has no containers: a volume that cannot be mounted, most often."""
    event = seen.told(*_UNMOUNTED)
    creating = any(
        status.state.waiting and status.state.waiting.reason == "ContainerCreating"
        for status in seen.statuses()
    )
    if event is None or not creating:
        return None
    if event.times < _MOUNT_TRIES and seen.age < _MOUNT_PATIENCE:
        return None
    return was_unmounted(seen)


def was_unstarted(seen: SeenPod) -> Cause | None:
    """Return why a container has not started, from the events about it."""
    failed = [each for each in seen.own_events if each.container not in seen.begun]
    event = newest(failed, "Failed")
    if event is None:
        return None
    said = event.message.removeprefix("Error: ")
    explained = unpulled if said.startswith(PULL_FAILED) else _WAITING.get(said, _unmade)
    return explained(seen, seen.container(event.container), "" if said in _WAITING else said)


def was_unmounted(seen: SeenPod) -> Cause | None:
    """Return why the volumes of a pod were not mounted, from the events about it."""
    event = seen.told(*_UNMOUNTED, *_MOUNTED)
    if event is None or event.reason in _MOUNTED:
        return None
    said = _MOUNTING.sub("", event.message)
    return _of_absent(seen, said) or Cause(
        what=sentence("its pod cannot be set up", said), cure=seen.describe
    )


def unstartable(seen: SeenPod, container: Container, message: str) -> Cause:
    """Return the cause of a container whose command cannot be started."""
    said = _RUNC.sub("", message).removesuffix(": unknown")
    return Cause(
        what=sentence(f"the command of the image {container.image} cannot be started", said),
        cure=f"{seen.describe}   # then {seen.origin_of(container).image}",
    )


def _unmade(seen: SeenPod, container: Container, message: str) -> Cause:
    """Return why a container cannot be made; most runtimes look for its command later."""
    explained = unstartable if _OF_COMMAND.search(message) else _misconfigured
    return explained(seen, container, message)


def _misconfigured(seen: SeenPod, container: Container, message: str) -> Cause:
    if cause := _of_absent(seen, message):
        return cause
    if "will run as root" in message:
        what = f"the image {container.image} runs as root, which runAsNonRoot forbids."
        return Cause(what=what, cure=f"{seen.describe}   # then {seen.origin_of(container).image}")
    return Cause(what=sentence("its container cannot be made", message), cure=seen.describe)


def _of_absent(seen: SeenPod, message: str) -> Cause | None:
    """Return the cause if a config map, a secret, or a key of one is missing."""
    match = _ABSENT.search(message)
    if match:
        kind, name = match["kind"], match["name"]
        return Cause(
            what=f"it needs the {kind} {name}, which is not in the namespace "
            f"{seen.place.namespace}.",
            cure=seen.place.kubectl(f"get {kind}s"),
        )
    match = _KEY.search(message)
    if match:
        kind, name = match["kind"].lower(), match["name"]
        return Cause(
            what=f"it needs the key {match['key']} of the {kind} {name}, which has none of that "
            "name.",
            cure=seen.place.kubectl(f"describe {kind} {name}"),
        )
    return None


_WAITING: Mapping[str, Callable[[SeenPod, Container, str], Cause]] = {
    "ErrImagePull": unpulled,
    "ImagePullBackOff": unpulled,
    "RegistryUnavailable": unpulled,
    "ErrImageNeverPull": not_on_node,
    "InvalidImageName": misnamed,
    "CreateContainerConfigError": _misconfigured,
    "CreateContainerError": _unmade,
    "RunContainerError": unstartable,
}
