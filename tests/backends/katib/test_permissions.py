"""The Role in k8s/ grants exactly the permissions for commands and hints."""

from collections.abc import Iterator

import yaml

from housectl.backends.katib.checks.cluster import REQUIRED_PERMISSIONS
from tools.project_directory import ROOT

Rule = tuple[str, str, str]

# Additional permissions for the commands of hints: kubectl describe, get and logs.
HINT_PERMISSIONS: frozenset[Rule] = frozenset(
    {
        ("", "limitranges", "get"),
        ("", "limitranges", "list"),
        ("", "persistentvolumeclaims", "list"),
        ("", "resourcequotas", "get"),
        ("", "resourcequotas", "list"),
        ("kubeflow.org", "suggestions", "get"),
        ("kubeflow.org", "trials", "get"),
    }
)


def granted(kind: str) -> Iterator[Rule]:
    """Yield API group, resource and verb of each rule of a role in k8s/base."""
    for path in (ROOT / "k8s" / "base").glob("*.yaml"):
        for manifest in yaml.safe_load_all(path.read_text()):
            for rule in manifest.get("rules", ()) if manifest["kind"] == kind else ():
                for group in rule["apiGroups"]:
                    for resource in rule["resources"]:
                        yield from ((group, resource, verb) for verb in rule["verbs"])


def test_role_grants_required_permissions() -> None:
    needed = {
        (
            permission.kind.group,
            f"{permission.kind.plural}/{permission.subresource}".rstrip("/"),
            verb,
        )
        for permission in REQUIRED_PERMISSIONS
        for verb in permission.verbs
    }
    assert set(granted("Role")) == needed | HINT_PERMISSIONS
    assert not needed & HINT_PERMISSIONS


def test_cluster_role_is_read_only() -> None:
    assert {verb for _, _, verb in granted("ClusterRole")} <= {"get", "list"}
