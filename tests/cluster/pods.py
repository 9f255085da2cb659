"""Pods with the strictest security settings, which run one command."""

import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from tools.dev_cluster.kubectl import kubectl

_TIMEOUT_SECONDS = 120.0

# The "restricted" Pod Security Standard, with a read-only root file system.
RESTRICTED = {
    "runAsNonRoot": True,
    "readOnlyRootFilesystem": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@contextmanager
def new_namespace() -> Iterator[str]:
    name = f"images-{secrets.token_hex(3)}"
    kubectl("create", "namespace", name)
    try:
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


def run_pod(
    namespace: str,
    image: str,
    command: Sequence[str],
    *,
    mounts: Mapping[str, Mapping[str, object]] | None = None,
) -> str:
    """Run a command in a pod until it finishes, and return its log.

    Args:
        mounts: Volumes by their mount paths.
    """
    name = f"pod-{secrets.token_hex(3)}"
    manifest = _manifest(namespace, name, image, command, mounts or {})
    kubectl("apply", "--filename=-", stdin=json.dumps(manifest))
    phase = _wait_for_final_phase(namespace, name)
    log = kubectl("logs", "--namespace", namespace, name)
    assert phase == "Succeeded", log
    return log


def _manifest(
    namespace: str,
    name: str,
    image: str,
    command: Sequence[str],
    mounts: Mapping[str, Mapping[str, object]],
) -> Mapping[str, object]:
    volumes = {f"volume-{number}": mount for number, mount in enumerate(mounts.items())}
    container = {
        "name": "main",
        "image": image,
        "command": list(command),
        "securityContext": RESTRICTED,
        "volumeMounts": [{"name": key, "mountPath": path} for key, (path, _) in volumes.items()],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "containers": [container],
            "volumes": [{"name": key, **volume} for key, (_, volume) in volumes.items()],
        },
    }


def _wait_for_final_phase(namespace: str, pod: str) -> str:
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        output = kubectl("get", "--namespace", namespace, f"pod/{pod}", "--output=json")
        status = json.loads(output)["status"]
        if status["phase"] in {"Succeeded", "Failed"}:
            return str(status["phase"])
        time.sleep(0.5)
    raise TimeoutError(json.dumps(status))
