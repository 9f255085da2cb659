"""Prerequisites of experiments on Katib: the manifests of k8s/, and the registered algorithm."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from housectl.errors import ConflictError, LocalEnvironmentError, NotFoundError
from housectl.external_tools import find_kubectl
from housectl.packaged_files import packaged_path

if TYPE_CHECKING:
    from housectl.backends.katib.registration.registration import Registration
    from housectl.kube.client import Kube
    from housectl.kube.kinds import Kind
    from housectl.kube.objects.base import Manifest


class Overlay(StrEnum):
    """A kind of cluster: a directory of k8s/overlays."""

    GENERIC = "generic"
    MINIKUBE = "minikube"


class ApplyResult(StrEnum):
    """The result of applying an object."""

    CREATED = "created"
    UP_TO_DATE = "up to date"
    UNCHANGED = "unchanged"
    REGISTERED = "registered"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class AppliedObject:
    """An applied object.

    Attributes:
        object: Its name for kubectl, such as `namespaces/kubeflow`.
    """

    object: str
    result: ApplyResult


@dataclass(frozen=True, kw_only=True)
class ClusterSetup:
    """Namespace, PVC, service accounts and permissions for experiments, and the algorithm.

    Attributes:
        suggestion_image: Image of the suggestion service; None to keep the registered one.
    """

    overlay: Overlay
    context: str | None
    namespace: str
    pvc: str
    suggestion_image: str | None = None

    def manifests(self) -> str:
        """Return the manifests as YAML. Offline.

        Raises:
            ToolMissingError: kubectl, which includes kustomize, is not installed.
            LocalEnvironmentError: kubectl is too old.
        """
        # kustomize requires relative paths without symbolic links.
        with TemporaryDirectory() as name:
            top = Path(name).resolve()
            overlay = packaged_path("k8s") / "overlays" / self.overlay
            kustomization = _kustomization(self, os.path.relpath(overlay, top))
            (top / "kustomization.yaml").write_text(json.dumps(kustomization))
            return _kustomize(top)

    def registration_difference(self) -> str:
        """Return the change of Katib's configuration as a unified diff; empty if there is none.

        Raises:
            ClusterError: The configuration cannot be read.
        """
        return self._registration().difference()

    def apply(self) -> Sequence[AppliedObject]:
        """Apply the manifests to the cluster, and register the algorithm. Idempotent.

        Fields of existing objects stay unless the manifests have them. `kubectl apply` would remove
        labels of the namespace that others have applied. An existing PVC stays unchanged, because
        access modes are immutable and few volumes can be resized.

        Raises:
            ClusterError: The cluster is unreachable, or rejects an object.
        """
        import yaml

        from housectl.kube.client import Kube

        manifests: Iterable[Manifest] = yaml.safe_load_all(self.manifests())
        kube = Kube(self.context, self.namespace)
        applied = [_apply(kube, manifest) for manifest in manifests]
        return [*applied, _register(self._registration())]

    def _registration(self) -> "Registration":
        from housectl.backends.katib.registration.registration import Registration

        return Registration(
            context=self.context, image=self.suggestion_image, command=_command(self)
        )


def _command(setup: ClusterSetup) -> str:
    """Return the command that repeats a setup."""
    options = {
        "--overlay": setup.overlay,
        "--context": setup.context,
        "--namespace": setup.namespace,
        "--pvc": setup.pvc,
        "--suggestion-image": setup.suggestion_image,
    }
    words = (f"{name} {quote(value)}" for name, value in options.items() if value)
    return " ".join(["housectl cluster init", *words])


def _register(registration: "Registration") -> AppliedObject:
    from housectl.backends.katib.registration.registration import OBJECT

    try:
        changed = registration.apply()
        result = ApplyResult.REGISTERED if changed else ApplyResult.UNCHANGED
    except NotFoundError:
        result = ApplyResult.SKIPPED
    return AppliedObject(object=OBJECT, result=result)


def _apply(kube: "Kube", manifest: "Manifest") -> AppliedObject:
    from housectl.kube.kinds import kind_of
    from housectl.kube.objects.base import NamedObject, parse

    kind, name = kind_of(manifest), parse(NamedObject, manifest).metadata.name
    try:
        kube.create(kind, manifest)
        result = ApplyResult.CREATED
    except ConflictError:
        result = _update(kube, kind, name, manifest)
    return AppliedObject(object=f"{kind.full_name}/{name}", result=result)


def _update(kube: "Kube", kind: "Kind", name: str, manifest: "Manifest") -> ApplyResult:
    from housectl.kube.kinds import PVCS

    if kind == PVCS:
        return ApplyResult.UNCHANGED
    kube.patch(kind, name, manifest)
    return ApplyResult.UP_TO_DATE


def _kustomization(setup: ClusterSetup, overlay: str) -> Mapping[str, object]:
    namespace = setup.namespace
    return {
        "resources": [overlay],
        "namespace": namespace,
        "patches": [
            _replace("PersistentVolumeClaim", "/metadata/name", setup.pvc),
            _replace("ClusterRoleBinding", "/metadata/name", f"housectl-reader-{namespace}"),
            _replace("(Cluster)?RoleBinding", "/subjects/0/namespace", namespace),
        ],
    }


def _replace(kind: str, path: str, value: str) -> Mapping[str, object]:
    operation = {"op": "replace", "path": path, "value": value}
    return {"target": {"kind": kind}, "patch": json.dumps([operation])}


def _kustomize(directory: Path) -> str:
    process = subprocess.run(
        [find_kubectl(), "kustomize", str(directory)], capture_output=True, text=True, check=False
    )
    if process.returncode:
        raise LocalEnvironmentError(
            f"kubectl kustomize failed: {process.stderr.strip()}",
            hint="kubectl version --client   # housectl needs 1.27 or newer",
        )
    return process.stdout
