"""What experiments on Katib need beside Katib: the manifests of k8s/, put on a cluster."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from housectl.errors import ClusterError
from housectl.programs import find_kubectl


class Overlay(StrEnum):
    """A kind of cluster; a directory of k8s/overlays."""

    GENERIC = "generic"
    MINIKUBE = "minikube"


@dataclass(frozen=True, kw_only=True)
class Prerequisites:
    """Namespace, claim, accounts and rights."""

    overlay: Overlay
    namespace: str
    claim: str


def render(wanted: Prerequisites) -> str:
    """Return the manifests as YAML. Asks no cluster.

    Raises:
        ToolMissingError: There is no kubectl, which knows kustomize.
        ClusterError: It is too old to know it well.
    """
    # kustomize wants relative paths, without a symbolic link on the way.
    with TemporaryDirectory() as name:
        top = Path(name).resolve()
        overlay = _manifests() / "overlays" / wanted.overlay
        customized = _customized(wanted, os.path.relpath(overlay, top))
        (top / "kustomization.yaml").write_text(json.dumps(customized))
        return _kubectl("kustomize", str(top))


def apply(manifests: str, *, context: str | None) -> Sequence[str]:
    """Put manifests on a cluster and return the names of the objects. Idempotent.

    Fields of existing objects that the manifests do not name stay as they are.

    Raises:
        ToolMissingError: There is no kubectl.
        ClusterError: The cluster cannot be reached, or refuses.
    """
    chosen = () if context is None else (f"--context={context}",)
    sending = ("apply", "--server-side", "--field-manager=housectl", "--output=name")
    return _kubectl(*sending, "--filename=-", *chosen, given=manifests).splitlines()


def _manifests() -> Path:
    """Return k8s/, which a wheel has inside of the package."""
    packaged = Path(__file__).resolve().with_name("k8s")
    return packaged if packaged.is_dir() else packaged.parents[2] / "k8s"


def _customized(wanted: Prerequisites, overlay: str) -> Mapping[str, object]:
    namespace = wanted.namespace
    return {
        "resources": [overlay],
        "namespace": namespace,
        "patches": [
            _replace("PersistentVolumeClaim", "/metadata/name", wanted.claim),
            _replace("ClusterRoleBinding", "/metadata/name", f"housectl-reader-{namespace}"),
            _replace("(Cluster)?RoleBinding", "/subjects/0/namespace", namespace),
        ],
    }


def _replace(kind: str, path: str, value: str) -> Mapping[str, object]:
    operation = {"op": "replace", "path": path, "value": value}
    return {"target": {"kind": kind}, "patch": json.dumps([operation])}


def _kubectl(*arguments: str, given: str | None = None) -> str:
    ended = subprocess.run(
        [find_kubectl(), *arguments], input=given, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise ClusterError(
            f"kubectl {arguments[0]} failed: {ended.stderr.strip()}",
            hint="kubectl config get-contexts   # choose one: housectl cluster init --context NAME",
        )
    return ended.stdout
