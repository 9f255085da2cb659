"""The container that every pod of ours has, with as few rights as it can do with."""

from collections.abc import Mapping, Sequence

from housectl.backends.katib.naming import MOUNT

Manifest = dict[str, object]

CONTAINER = "trainer"
USER = 10001
_VOLUME = "models"


def container(
    image: str,
    command: Sequence[str],
    *,
    requests: Mapping[str, str],
    limits: Mapping[str, str],
    read_only: bool = False,
) -> Manifest:
    """Return a container that runs a command with the claim mounted.

    Args:
        image: The trainer's image.
        command: Always set: Katib would look up an image's own command in its registry.
        requests: Of cpu and memory, as Kubernetes writes them.
        limits: The same.
        read_only: Whether it may only read the claim.
    """
    return {
        "name": CONTAINER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(command),
        "env": [
            {"name": "HOME", "value": "/tmp"},  # noqa: S108  # an emptyDir
            {"name": "OMP_NUM_THREADS", "value": "1"},
        ],
        "resources": {"requests": dict(requests), "limits": dict(limits)},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [
            {"name": _VOLUME, "mountPath": MOUNT, **_access(read_only=read_only)},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
        ],
    }


def pod_spec(container: Manifest, *, pvc: str, read_only: bool = False) -> Manifest:
    """Return a pod with one container of ours.

    The strict settings are the container's own: Katib puts its collector beside it, which needs to
    be root. The group owns the volume, where the driver can change that.
    """
    source = {"claimName": pvc, **_access(read_only=read_only)}
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"fsGroup": USER, "fsGroupChangePolicy": "OnRootMismatch"},
        "containers": [container],
        "volumes": [
            {"name": _VOLUME, "persistentVolumeClaim": source},
            {"name": "tmp", "emptyDir": {}},
        ],
    }


def _access(*, read_only: bool) -> dict[str, bool]:
    """Return how the claim is mounted; Katib refuses a Job that says `readOnly: false`."""
    return {"readOnly": True} if read_only else {}
