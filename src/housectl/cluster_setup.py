"""What experiments on Katib need beside Katib: the manifests of k8s/, put on a cluster."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from housectl.errors import ConflictError, LocalEnvironmentError
from housectl.external_tools import find_kubectl

if TYPE_CHECKING:
    from housectl.kube.client import Kube, Manifest
    from housectl.kube.kinds import Kind


class Overlay(StrEnum):
    """A kind of cluster; a directory of k8s/overlays."""

    GENERIC = "generic"
    MINIKUBE = "minikube"


@dataclass(frozen=True, kw_only=True)
class ClusterSetup:
    """Namespace, claim, accounts and rights."""

    overlay: Overlay
    namespace: str
    pvc: str


class ApplyResult(StrEnum):
    """What was to be done about an object."""

    CREATED = "created"
    UP_TO_DATE = "up to date"
    UNCHANGED = "left as it is"


@dataclass(frozen=True, kw_only=True)
class AppliedObject:
    """An object that is on the cluster now.

    Attributes:
        object: As kubectl takes it, such as `namespaces/kubeflow`.
    """

    object: str
    outcome: ApplyResult


def render(wanted: ClusterSetup) -> str:
    """Return the manifests as YAML. Asks no cluster.

    Raises:
        ToolMissingError: There is no kubectl, which knows kustomize.
        MachineError: It is too old to know it well.
    """
    # kustomize wants relative paths, without a symbolic link on the way.
    with TemporaryDirectory() as name:
        top = Path(name).resolve()
        overlay = _manifests() / "overlays" / wanted.overlay
        customized = _customized(wanted, os.path.relpath(overlay, top))
        (top / "kustomization.yaml").write_text(json.dumps(customized))
        return _kustomized(top)


def apply(manifests: str, *, context: str | None, namespace: str) -> Sequence[AppliedObject]:
    """Put manifests on a cluster. Idempotent.

    Fields of existing objects that the manifests do not name stay as they are. That is why this is
    not `kubectl apply`, which removes the labels that others have applied to the namespace. A claim
    that is there is left as it is: access modes cannot be changed, and few volumes can be resized.

    Raises:
        ClusterError: The cluster cannot be reached, or refuses.
    """
    import yaml

    from housectl.kube.client import Kube

    kube = Kube(context, namespace)
    objects: Iterable[Manifest] = yaml.safe_load_all(manifests)
    return [_applied(kube, each) for each in objects]


def _applied(kube: "Kube", manifest: "Manifest") -> AppliedObject:
    from housectl.kube.kinds import kind_of
    from housectl.kube.objects.base import NamedObject, parse

    kind, name = kind_of(manifest), parse(NamedObject, manifest).metadata.name
    try:
        kube.create(kind, manifest)
        outcome = ApplyResult.CREATED
    except ConflictError:
        outcome = _updated(kube, kind, name, manifest)
    return AppliedObject(object=f"{kind.full_name}/{name}", outcome=outcome)


def _updated(kube: "Kube", kind: "Kind", name: str, manifest: "Manifest") -> ApplyResult:
    from housectl.kube.kinds import PVCS

    if kind == PVCS:
        return ApplyResult.UNCHANGED
    kube.patch(kind, name, manifest)
    return ApplyResult.UP_TO_DATE


def _manifests() -> Path:
    """Return k8s/, which a wheel has inside of the package."""
    packaged = Path(__file__).resolve().with_name("k8s")
    return packaged if packaged.is_dir() else packaged.parents[2] / "k8s"


def _customized(wanted: ClusterSetup, overlay: str) -> Mapping[str, object]:
    namespace = wanted.namespace
    return {
        "resources": [overlay],
        "namespace": namespace,
        "patches": [
            _replace("PersistentVolumeClaim", "/metadata/name", wanted.pvc),
            _replace("ClusterRoleBinding", "/metadata/name", f"housectl-reader-{namespace}"),
            _replace("(Cluster)?RoleBinding", "/subjects/0/namespace", namespace),
        ],
    }


def _replace(kind: str, path: str, value: str) -> Mapping[str, object]:
    operation = {"op": "replace", "path": path, "value": value}
    return {"target": {"kind": kind}, "patch": json.dumps([operation])}


def _kustomized(directory: Path) -> str:
    ended = subprocess.run(
        [find_kubectl(), "kustomize", str(directory)], capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise LocalEnvironmentError(
            f"kubectl kustomize failed: {ended.stderr.strip()}",
            hint="kubectl version --client   # 1.27 is new enough",
        )
    return ended.stdout
