"""Checks of Katib's components, against an API server that has some of their deployments."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from housectl.backends.doctor_check import CheckWarning
from housectl.backends.katib.checks.components import (
    check_controller,
    check_database,
    require_controller,
    require_database,
)
from housectl.backends.katib.katib_client import katib_client
from housectl.errors import ClusterError
from housectl.kube.client import Kube
from tests.backends.katib.api_server import ApiServer, Objects, serving

READY = {"replicas": 1, "readyReplicas": 1}
UNREADY = {"replicas": 1}
NO_POD: dict[str, int] = {}
LABEL = {"katib.kubeflow.org/metrics-collector-injection": "enabled"}
DEPLOYMENTS = "/apis/apps/v1/namespaces/kubeflow/deployments"


@contextmanager
def katib(
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    components: Mapping[str, Mapping[str, int]],
    *,
    namespace: str = "houses",
    labels: Mapping[str, str] = LABEL,
) -> Iterator[Kube]:
    """Yield a client of a cluster with these deployments, or without the right to read them."""
    objects: Objects = {
        f"{DEPLOYMENTS}/katib-{name}": {"metadata": {"name": f"katib-{name}"}, "status": status}
        for name, status in components.items()
    }
    server = ApiServer(objects, *(() if objects else (DEPLOYMENTS,)))
    objects["/api/v1/namespaces/kubeflow"] = {"metadata": {"name": "kubeflow", "labels": labels}}
    with serving(server, directory) as config:
        monkeypatch.setenv("KUBECONFIG", config)
        yield katib_client(None, namespace)


@pytest.mark.parametrize(
    "components",
    [
        {"mysql": READY, "db-manager": READY},
        {"postgres": READY, "db-manager": READY},
        {"db-manager": READY},
        {"db-manager": {"replicas": 2, "readyReplicas": 1}},
    ],
)
def test_database_runs(
    components: Mapping[str, Mapping[str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with katib(tmp_path, monkeypatch, components) as kube:
        assert require_database(kube) == [*components]
        assert check_database(kube).startswith("Katib's ")


@pytest.mark.parametrize(
    ("components", "missing", "repair"),
    [
        ({"mysql": READY, "db-manager": NO_POD}, "db-manager", "scale deployment katib-db-manager"),
        ({"mysql": READY, "db-manager": UNREADY}, "db-manager", "describe pods -l katib.kubeflow"),
        ({"mysql": NO_POD, "db-manager": UNREADY}, "mysql", "scale deployment katib-mysql"),
        ({"postgres": UNREADY, "db-manager": READY}, "postgres", "describe pods -l katib.kubeflow"),
    ],
)
def test_database_is_unavailable(
    components: Mapping[str, Mapping[str, int]],
    missing: str,
    repair: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        katib(tmp_path, monkeypatch, components) as kube,
        pytest.raises(ClusterError, match=f"unavailable: no pod of {missing} is ready") as caught,
    ):
        check_database(kube)
    assert caught.value.hint.startswith(f"kubectl --context here -n kubeflow {repair}")


@pytest.mark.parametrize("check", [check_database, check_controller])
@pytest.mark.parametrize(
    ("components", "reason"), [({"ui": READY}, "has no deployment"), ({}, "may not|forbids")]
)
def test_unreadable_components_are_a_warning(
    check: Callable[[Kube], str],
    components: Mapping[str, Mapping[str, int]],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        katib(tmp_path, monkeypatch, components) as kube,
        pytest.raises(CheckWarning, match=reason),
    ):
        check(kube)


def test_controller_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with katib(tmp_path, monkeypatch, {"controller": READY}) as kube:
        assert check_controller(kube) == "Katib's controller runs in the namespace kubeflow"


def test_controller_that_shares_the_namespace_of_searches_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with katib(tmp_path, monkeypatch, {"controller": READY}, namespace="kubeflow") as kube:
        require_controller(kube)
        with pytest.raises(CheckWarning, match="share the namespace kubeflow") as caught:
            check_controller(kube)
    assert caught.value.hint.startswith("housectl cluster init --namespace housectl ")


@pytest.mark.parametrize("namespace", ["houses", "kubeflow"])
def test_deadlock_of_controller_and_its_webhook(
    namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        katib(tmp_path, monkeypatch, {"controller": NO_POD}, namespace=namespace) as kube,
        pytest.raises(ClusterError, match="the cluster rejects a new one") as caught,
    ):
        require_controller(kube)
    label = "katib.kubeflow.org/metrics-collector-injection"
    assert caught.value.hint.split(" && ") == [
        f"kubectl --context here label namespace kubeflow {label}-",
        "kubectl --context here scale deployment katib-controller -n kubeflow --replicas=1",
        "kubectl --context here rollout restart deployment katib-controller -n kubeflow",
        "kubectl --context here rollout status deployment katib-controller -n kubeflow",
        f"kubectl --context here label namespace kubeflow {label}=enabled --overwrite",
    ]


@pytest.mark.parametrize(
    ("status", "labels", "repair"),
    [
        (NO_POD, {}, "scale deployment katib-controller --replicas=1"),
        (UNREADY, LABEL, "describe pods -l katib.kubeflow.org/component=controller"),
    ],
)
def test_controller_without_deadlock(
    status: Mapping[str, int],
    labels: Mapping[str, str],
    repair: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        katib(tmp_path, monkeypatch, {"controller": status}, labels=labels) as kube,
        pytest.raises(ClusterError, match="no search can start or continue") as caught,
    ):
        require_controller(kube)
    assert caught.value.hint.startswith(f"kubectl --context here -n kubeflow {repair}")
