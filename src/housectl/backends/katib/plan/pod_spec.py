"""The container of every pod that housectl creates, with as few privileges as possible."""

from collections.abc import Mapping, Sequence

from housectl.backends.katib.labels_and_paths import MOUNT

Manifest = dict[str, object]

CONTAINER = "trainer"
USER_ID = 10001
_VOLUME = "models"
SECURITY_CONTEXT = {
    "runAsNonRoot": True,
    "runAsUser": USER_ID,
    "runAsGroup": USER_ID,
    "readOnlyRootFilesystem": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def container(
    image: str,
    command: Sequence[str],
    *,
    requests: Mapping[str, str],
    limits: Mapping[str, str],
    read_only: bool = False,
) -> Manifest:
    """Return a container that runs a command with the PVC mounted.

    Args:
        image: The trainer's image.
        command: Required, because Katib would look up an image's own command in the registry.
        requests: Requests of cpu and memory, as quantities.
        limits: Limits of cpu and memory, as quantities.
        read_only: True to mount the PVC read-only.
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
        "securityContext": SECURITY_CONTEXT,
        "volumeMounts": [
            {"name": _VOLUME, "mountPath": MOUNT, **_access(read_only=read_only)},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
        ],
    }


def pod_spec(container: Manifest, *, pvc: str, read_only: bool = False) -> Manifest:
    """Return the specification of a pod with one container.

    The strict security settings are the container's, because Katib adds its collector, which needs
    to run as root, to the pod. The group owns the volume if the volume's driver can change that.
    """
    source = {"claimName": pvc, **_access(read_only=read_only)}
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"fsGroup": USER_ID, "fsGroupChangePolicy": "OnRootMismatch"},
        "containers": [container],
        "volumes": [
            {"name": _VOLUME, "persistentVolumeClaim": source},
            {"name": "tmp", "emptyDir": {}},
        ],
    }


def _access(*, read_only: bool) -> dict[str, bool]:
    """Return the access to the PVC; Katib rejects a Job with `readOnly: false`."""
    return {"readOnly": True} if read_only else {}
