"""Katib's own components fail: the checks name them, and the hints bring them back."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from housectl.experiment import ExperimentState
from tests.cluster.accounts import write_kubeconfig
from tests.cluster.fault_injection import (
    PVC,
    TIMEOUT_SECONDS,
    FaultNamespace,
    new_fault_namespace,
    shell_training,
)
from tests.cluster.katib_faults import (
    database_stopped,
    katib_parts,
    label_removed,
    wait_for_webhooks,
    webhooks_stopped,
)
from tests.cluster.listing import listed_states
from tests.cluster.pods import run_pod
from tests.cluster.test_doctor import CHECKS, checks_by_name, experiments, results, volume_pods
from tools.dev_cluster.images import TRAINER_IMAGE
from tools.dev_cluster.kubectl import kubectl_environment

pytestmark = pytest.mark.alone

LONG = ("running-1", "running-2", "running-3")
DATABASE_DOWN = (
    "Katib's database is unavailable: no pod of db-manager is ready in the namespace kubeflow. "
    "Every trial would fail at its end."
)


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultNamespace]:
    """A namespace with long trials, on a cluster whose Katib has components that can fail."""
    with katib_parts(), new_fault_namespace(tmp_path_factory.mktemp("parts")) as faults:
        for name in LONG:
            output = f"/mnt/models/work/{name}/${{trialParameters.trialName}}"
            faults.start(name, shell_training(f"mkdir -p {output} && sleep 600"))
        for name in LONG:
            faults.wait_until(name, lambda snapshot: snapshot.state is ExperimentState.RUNNING)
        yield faults


def work_directories(faults: FaultNamespace) -> str:
    mounts = {"/mnt/models": {"persistentVolumeClaim": {"claimName": PVC}}}
    return run_pod(faults.namespace, TRAINER_IMAGE, ["ls", "/mnt/models/work"], mounts=mounts)


def failed_delete(faults: FaultNamespace, name: str) -> dict[str, str]:
    output = faults.run("delete", name, "--json")
    assert output.status == ExitStatus.CLUSTER, output
    error = output.json["error"]
    assert isinstance(error, dict)
    return error


def wait_until_unlisted(faults: FaultNamespace, name: str) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while name in (listed := listed_states(faults.project)):
        assert time.monotonic() < deadline, listed
        time.sleep(0.5)


def paste(command: str) -> None:
    """Run a hint as users do."""
    environment = os.environ | kubectl_environment()
    subprocess.run(command, shell=True, env=environment, stdout=subprocess.DEVNULL, check=True)


def test_all_checks_pass_on_prepared_cluster(faults: FaultNamespace) -> None:
    before = experiments(faults.namespace)
    output = faults.run("doctor", "--json")
    checks = checks_by_name(output)
    assert output.status == ExitStatus.OK
    assert results(checks) == dict.fromkeys(CHECKS, "ok")
    assert f"namespace {faults.namespace}" in checks["cluster"]["found"]
    assert experiments(faults.namespace) == before
    assert volume_pods(faults.namespace) == []


def test_role_grants_enough_permissions(faults: FaultNamespace, tmp_path: Path) -> None:
    config = write_kubeconfig("housectl", faults.namespace, tmp_path / "config")
    output = faults.project.run("doctor", "--json", KUBECONFIG=config)
    checks = checks_by_name(output)
    assert output.status == ExitStatus.OK
    # The role does not include pods in other namespaces.
    assert results(checks) == {**dict.fromkeys(CHECKS, "ok"), "capacity": "warning"}
    assert "may not list pods on the whole cluster" in checks["capacity"]["found"]


def test_database_down(faults: FaultNamespace, tmp_path: Path) -> None:
    name = LONG[0]
    config = write_kubeconfig("housectl", faults.namespace, tmp_path / "config")
    with database_stopped():
        checks = checks_by_name(faults.run("doctor", "--json"))
        assert (checks["database"]["result"], checks["search"]["result"]) == ("failed", "skipped")
        assert checks["database"]["found"] == DATABASE_DOWN
        rejected = faults.project.run("tune", "--name", "unsent", "--json", KUBECONFIG=config)
        assert rejected.status == ExitStatus.CLUSTER
        assert rejected.json["error"] == {
            "status": ExitStatus.CLUSTER,
            "reference": "cluster",
            "message": DATABASE_DOWN,
            "hint": checks["database"]["hint"],
        }
        error = failed_delete(faults, name)
        assert error["message"] == f"Katib has not deleted {name}. {DATABASE_DOWN}"
        assert name not in work_directories(faults)
        assert "unsent" not in listed_states(faults.project)
    wait_until_unlisted(faults, name)


def test_namespace_loses_its_label(faults: FaultNamespace) -> None:
    name = LONG[1]
    with label_removed(faults.namespace):
        error = failed_delete(faults, name)
        assert error["message"].startswith(
            f"Katib has not deleted {name}. The namespace {faults.namespace} lacks the label "
        )
        assert name not in work_directories(faults)
        assert listed_states(faults.project)[name] == "deleted"
        paste(error["hint"])
        wait_until_unlisted(faults, name)


def test_controller_and_its_webhook_block_each_other(faults: FaultNamespace) -> None:
    name = LONG[2]
    with webhooks_stopped(faults.namespace):
        checks = checks_by_name(faults.run("doctor", "--json"))
        controller = checks["controller"]
        assert controller["result"] == "failed"
        assert "the cluster rejects a new one" in controller["found"]
        rejected = faults.run("tune", "--name", "unsent", "--json")
        assert rejected.status == ExitStatus.CLUSTER
        assert rejected.json["error"]["message"] == controller["found"]  # type: ignore[index]
        assert "webhook is unavailable" in failed_delete(faults, name)["message"]
        assert listed_states(faults.project)[name] == "deleted"
        paste(controller["hint"])
        # A ready controller's webhooks are reachable a moment later.
        wait_for_webhooks(faults.namespace, available=True)
        faults.project.run_ok("delete", name)
    assert name not in listed_states(faults.project)
    assert name not in work_directories(faults)
