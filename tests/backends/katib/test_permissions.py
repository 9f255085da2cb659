"""The Role in k8s/ gives what commands and hints need, and no more."""

from collections.abc import Iterator

import yaml

from housectl.backends.katib.checks.cluster import REQUIRED_PERMISSIONS
from tools.project_directory import ROOT

Right = tuple[str, str, str]

# What people need besides who type the hints: kubectl describe, get and logs.
LOOKING: frozenset[Right] = frozenset(
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


def given(kind: str) -> Iterator[Right]:
    """Yield API group, resource and verb of each right of a role in k8s/base."""
    for path in (ROOT / "k8s" / "base").glob("*.yaml"):
        for manifest in yaml.safe_load_all(path.read_text()):
            for rule in manifest.get("rules", ()) if manifest["kind"] == kind else ():
                for group in rule["apiGroups"]:
                    for resource in rule["resources"]:
                        yield from ((group, resource, verb) for verb in rule["verbs"])


def test_the_role_gives_what_is_needed() -> None:
    needed = {
        (
            right.kind.group,
            f"{right.kind.plural}/{right.subresource}".rstrip("/"),
            verb,
        )
        for right in REQUIRED_PERMISSIONS
        for verb in right.verbs
    }
    assert set(given("Role")) == needed | LOOKING
    assert not needed & LOOKING


def test_the_cluster_role_only_lets_look() -> None:
    assert {verb for _, _, verb in given("ClusterRole")} <= {"get", "list"}
