"""The cluster that KUBECONFIG names, asked with kubectl."""

import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

TRAINER = "housectl-trainer:dev"
SERVER = "housectl-server:dev"

_PATIENCE_SECONDS = 120.0

# A pod of the strictest kind that Kubernetes has a name for, with a root nobody can write to.
RESTRICTED = {
    "runAsNonRoot": True,
    "readOnlyRootFilesystem": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def bed() -> Path:
    """Return the directory that the test bed keeps its things in."""
    return Path(os.environ["KUBECONFIG"]).parent


def is_bed() -> bool:
    """Return whether this is a test bed, whose images only an engine with its settings finds."""
    return (bed() / "cache" / "containers.conf").exists()


def with_kubectl() -> dict[str, str]:
    """Return a PATH on which there is a kubectl also where the machine has none."""
    return {"PATH": f"{os.environ['PATH']}{os.pathsep}{bed() / 'bin'}"}


def kubectl(*arguments: str, given: str | None = None) -> str:
    return subprocess.run(
        ["kubectl", *arguments],
        env=os.environ | with_kubectl(),
        input=given,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


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
    """Run a command to its end in a pod, and return what it printed.

    Args:
        mounts: Volumes by the paths that they are mounted at.
    """
    volumes = {f"volume-{number}": each for number, each in enumerate((mounts or {}).items())}
    name = f"pod-{secrets.token_hex(3)}"
    container = {
        "name": "main",
        "image": image,
        "command": list(command),
        "securityContext": RESTRICTED,
        "volumeMounts": [{"name": key, "mountPath": path} for key, (path, _) in volumes.items()],
    }
    manifest = {
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
    kubectl("apply", "--filename=-", given=json.dumps(manifest))
    phase = _end_of(namespace, name)
    said = kubectl("logs", "--namespace", namespace, name)
    assert phase == "Succeeded", said
    return said


def _end_of(namespace: str, pod: str) -> str:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        status = json.loads(
            kubectl("get", "--namespace", namespace, f"pod/{pod}", "--output=json")
        )["status"]
        if status["phase"] in {"Succeeded", "Failed"}:
            return str(status["phase"])
        time.sleep(0.2)
    raise TimeoutError(json.dumps(status))
