"""Kinds of Kubernetes objects, and their paths on the API server."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of object.

    Attributes:
        group: API group; empty for the core group.
        plural: Its name in paths and in kubectl commands.
        namespaced: True if its objects belong to a namespace.
    """

    group: str
    version: str
    plural: str
    namespaced: bool = True

    @property
    def full_name(self) -> str:
        """The unambiguous name for kubectl, such as `jobs.batch`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str) -> str:
        """Return the path of the kind's collection."""
        root = f"/apis/{self.group}" if self.group else "/api"
        scope = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{root}/{self.version}{scope}/{self.plural}"


JOBS = Kind("batch", "v1", "jobs")
PODS = Kind("", "v1", "pods")
ALL_PODS = Kind("", "v1", "pods", namespaced=False)
DEPLOYMENTS = Kind("apps", "v1", "deployments")
EVENTS = Kind("", "v1", "events")
PVCS = Kind("", "v1", "persistentvolumeclaims")
CONFIG_MAPS = Kind("", "v1", "configmaps")
NAMESPACES = Kind("", "v1", "namespaces", namespaced=False)
NODES = Kind("", "v1", "nodes", namespaced=False)
ACCESS_REVIEWS = Kind("authorization.k8s.io", "v1", "selfsubjectaccessreviews", namespaced=False)
SERVICE_ACCOUNTS = Kind("", "v1", "serviceaccounts")
_RBAC = "rbac.authorization.k8s.io"
ROLES = Kind(_RBAC, "v1", "roles")
ROLE_BINDINGS = Kind(_RBAC, "v1", "rolebindings")
CLUSTER_ROLES = Kind(_RBAC, "v1", "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDINGS = Kind(_RBAC, "v1", "clusterrolebindings", namespaced=False)

_KINDS = {
    ("batch/v1", "Job"): JOBS,
    ("v1", "Pod"): PODS,
    ("v1", "Namespace"): NAMESPACES,
    ("v1", "PersistentVolumeClaim"): PVCS,
    ("v1", "ServiceAccount"): SERVICE_ACCOUNTS,
    (f"{_RBAC}/v1", "Role"): ROLES,
    (f"{_RBAC}/v1", "RoleBinding"): ROLE_BINDINGS,
    (f"{_RBAC}/v1", "ClusterRole"): CLUSTER_ROLES,
    (f"{_RBAC}/v1", "ClusterRoleBinding"): CLUSTER_ROLE_BINDINGS,
}


def kind_of(manifest: Mapping[str, object]) -> Kind:
    """Return the kind of a manifest; only Kubernetes' own kinds are known."""
    return _KINDS[str(manifest["apiVersion"]), str(manifest["kind"])]
