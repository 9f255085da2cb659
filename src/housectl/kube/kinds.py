"""The kinds of objects that are read or written, and where the API server has them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of object.

    Attributes:
        group: API group; empty for the core.
        plural: Its name in paths, and with kubectl.
        namespaced: Whether its objects belong to a namespace.
    """

    group: str
    version: str
    plural: str
    namespaced: bool = True

    @property
    def full_name(self) -> str:
        """The name that kubectl takes without doubt, such as `experiments.kubeflow.org`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str) -> str:
        """Return the path of the collection."""
        root = f"/apis/{self.group}" if self.group else "/api"
        scope = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{root}/{self.version}{scope}/{self.plural}"


EXPERIMENTS = Kind("kubeflow.org", "v1beta1", "experiments")
TRIALS = Kind("kubeflow.org", "v1beta1", "trials")
SUGGESTIONS = Kind("kubeflow.org", "v1beta1", "suggestions")
JOBS = Kind("batch", "v1", "jobs")
PODS = Kind("", "v1", "pods")
ALL_PODS = Kind("", "v1", "pods", namespaced=False)
EVENTS = Kind("", "v1", "events")
PVCS = Kind("", "v1", "persistentvolumeclaims")
CONFIG_MAPS = Kind("", "v1", "configmaps")
NAMESPACES = Kind("", "v1", "namespaces", namespaced=False)
NODES = Kind("", "v1", "nodes", namespaced=False)
ACCESS_REVIEWS = Kind("authorization.k8s.io", "v1", "selfsubjectaccessreviews", namespaced=False)

SERVICE_ACCOUNTS = Kind("", "v1", "serviceaccounts")
_RIGHTS = "rbac.authorization.k8s.io"
ROLES = Kind(_RIGHTS, "v1", "roles")
ROLE_BINDINGS = Kind(_RIGHTS, "v1", "rolebindings")
CLUSTER_ROLES = Kind(_RIGHTS, "v1", "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDINGS = Kind(_RIGHTS, "v1", "clusterrolebindings", namespaced=False)

KINDS = {
    ("kubeflow.org/v1beta1", "Experiment"): EXPERIMENTS,
    ("batch/v1", "Job"): JOBS,
    ("v1", "Pod"): PODS,
    ("v1", "Namespace"): NAMESPACES,
    ("v1", "PersistentVolumeClaim"): PVCS,
    ("v1", "ServiceAccount"): SERVICE_ACCOUNTS,
    (f"{_RIGHTS}/v1", "Role"): ROLES,
    (f"{_RIGHTS}/v1", "RoleBinding"): ROLE_BINDINGS,
    (f"{_RIGHTS}/v1", "ClusterRole"): CLUSTER_ROLES,
    (f"{_RIGHTS}/v1", "ClusterRoleBinding"): CLUSTER_ROLE_BINDINGS,
    ("authorization.k8s.io/v1", "SelfSubjectAccessReview"): ACCESS_REVIEWS,
}


def kind_of(manifest: Mapping[str, object]) -> Kind:
    """Return the kind of an object that is to be created."""
    return KINDS[str(manifest["apiVersion"]), str(manifest["kind"])]
