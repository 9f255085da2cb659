"""Faults of Katib, missing permissions, and a cluster without Katib."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from housectl.errors import ExitStatus
from housectl.experiment import ExperimentState
from tests.cluster.accounts import write_kubeconfig
from tests.cluster.fault_injection import (
    WAIT_FOR_COLLECTOR,
    FaultNamespace,
    new_fault_namespace,
    shell_training,
)
from tests.cluster.katib_faults import (
    algorithm_image_replaced,
    collector_missing,
    controller_stopped,
    require_stand_in,
    webhooks_stopped,
)
from tools.dev_cluster.kubectl import kubectl
from tools.kubeconfig import kubeconfig
from tools.project_directory import CommandOutput

pytestmark = pytest.mark.alone

INSTANCE = "app.kubernetes.io/instance"
CONTROLLER = (
    "kubectl get pods -n kubeflow -l katib.kubeflow.org/component=controller   # if it lists none, "
    "housectl doctor prints the commands that start one"
)


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultNamespace]:
    with new_fault_namespace(tmp_path_factory.mktemp("katib")) as faults:
        yield faults


def test_controller_not_running(faults: FaultNamespace) -> None:
    with controller_stopped(faults.namespace):
        faults.start("not-picked-up")
        faults.expect_reason(
            "not-picked-up",
            "Katib's controller has not picked up the experiment: no status after 10 s. "
            f"Hint: {CONTROLLER}",
        )


def test_webhook_becomes_unavailable(faults: FaultNamespace) -> None:
    require_stand_in()
    long_training = shell_training(f"echo mse=1; {WAIT_FOR_COLLECTOR}")
    faults.start("no-webhook", long_training, "--trials", "2")
    faults.wait_until("no-webhook", lambda snapshot: snapshot.state is ExperimentState.RUNNING)
    with webhooks_stopped(faults.namespace):
        faults.expect_reason(
            "no-webhook",
            "The running trial is stuck: the webhook mutator.pod.katib.kubeflow.org is "
            "unreachable, so its pod cannot be created: dial tcp 127.0.0.1:8443: connect: "
            f"connection refused. Hint: {CONTROLLER}",
        )


def test_search_without_collectors_is_stopped(faults: FaultNamespace) -> None:
    """Katib waits without end for the metrics of completed jobs."""
    name = "no-collector"
    with collector_missing():
        faults.start(name, shell_training("echo mse=1"), "--trials", "3", "--workers", "2")
        faults.wait_until(name, lambda _: len(completed_jobs(faults, name)) == 2)
        # A stop that was killed halfway has left its mark, and both trials run on.
        faults.kubectl("annotate", "experiment", name, "housectl/stopped=user")
        status = faults.status(name)
        assert (status["state"], status["reason"]) == (
            "running",
            f"Its stop is not complete: Katib still runs {name}. Hint: housectl stop {name}",
        )
        stopped = faults.project.run_ok("stop", name, "--json").json
    assert (stopped["state"], stopped["trials"]) == ("stopped", 0)
    # Katib's controller removes its finalizer from deleted trials a moment later.
    trials = f"--selector={INSTANCE}={name}"
    faults.kubectl("wait", "trials", trials, "--for=delete", "--timeout=60s")
    assert faults.kubectl("get", "trials", trials) == ""
    condition = "{.status.conditions[-1:].type}"
    assert faults.kubectl("get", "experiment", name, f"--output=jsonpath={condition}") == "Failed"


def completed_jobs(faults: FaultNamespace, name: str) -> list[str]:
    completions = "{range .items[*]}{.status.completionTime}{' '}{end}"
    options = (f"--selector={INSTANCE}={name}", f"--output=jsonpath={completions}")
    return faults.kubectl("get", "jobs", *options).split()


def test_algorithm_image_pull_failed(faults: FaultNamespace) -> None:
    with algorithm_image_replaced("sobol", "127.0.0.1:1/absent:1"):
        faults.start("no-service", {}, "--algorithm", "sobol")
        faults.expect_reason(
            "no-service",
            "The service of the algorithm sobol is not running: the image 127.0.0.1:1/absent:1 "
            "cannot be pulled: dial tcp 127.0.0.1:1: connect: connection refused. Hint: kubectl "
            "describe pod {service} -n {namespace}   # then push the image, or choose another "
            "image: kubectl edit configmap katib-config -n kubeflow",
        )


def test_missing_permissions(faults: FaultNamespace, tmp_path: Path) -> None:
    config = write_kubeconfig("housectl-trial", faults.namespace, tmp_path / "config")
    account = f"system:serviceaccount:{faults.namespace}:housectl-trial"
    context = kubectl("config", "current-context").strip()
    assert error(faults.project.run("status", "any", "--json", KUBECONFIG=config)) == {
        "status": ExitStatus.CLUSTER,
        "reference": "cluster-forbidden",
        "message": f"The user {account} may not list experiments.kubeflow.org in the namespace "
        f"{faults.namespace}.",
        "hint": f"kubectl --context {context} auth can-i list experiments.kubeflow.org -n "
        f"{faults.namespace}   # housectl cluster init, run by an administrator, grants the "
        "permissions",
    }


@pytest.mark.parametrize("command", ["status", "list", "tune"])
def test_cluster_without_katib(command: str, faults: FaultNamespace, tmp_path: Path) -> None:
    arguments = {"status": ("any",), "list": (), "tune": ("--name", "any")}
    with empty_api_server(tmp_path / "config") as config:
        output = faults.project.run(command, *arguments[command], "--json", KUBECONFIG=config)
    assert error(output) == {
        "status": ExitStatus.CLUSTER,
        "reference": "katib-missing",
        "message": "The cluster has no Katib: it does not serve Katib's kinds.",
        "hint": 'kubectl --context bare apply -k "github.com/kubeflow/katib.git/manifests/v1beta1/'
        'installs/katib-standalone?ref=v0.19.0"',
    }


def error(output: CommandOutput) -> object:
    assert "error" not in output.err
    return output.json["error"]


class _EmptyApiServer(BaseHTTPRequestHandler):
    """Responds to every request as an API server does for unknown kinds."""

    def do_GET(self) -> None:
        body = b"404 page not found\n"
        self.send_response(404)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def empty_api_server(config: Path) -> Iterator[str]:
    """Serve an API without any kinds, and yield the path of its kubeconfig."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _EmptyApiServer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    config.write_text(kubeconfig({"server": address}, context="bare"))
    try:
        yield os.fspath(config)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
