"""Katib in parts, rights that are missing, a cluster without Katib: what is said of each."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from housectl.errors import ExitStatus
from tests.cluster.accounts import write_kubeconfig
from tests.cluster.fault_injection import WHILE_COLLECTOR_LOOKS, Drills, drilling, training
from tests.cluster.katib_faults import (
    needs_parts,
    without_controller,
    without_image,
    without_webhooks,
)
from tools.dev_cluster.kubectl import kubectl
from tools.project_directory import CommandOutput

pytestmark = pytest.mark.alone

CONTROLLER = "kubectl get pods -n kubeflow -l katib.kubeflow.org/component=controller"


@pytest.fixture(scope="module")
def drills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drills]:
    with drilling(tmp_path_factory.mktemp("katib")) as drills:
        yield drills


def test_a_controller_that_is_away(drills: Drills) -> None:
    with without_controller(drills.namespace):
        drills.start("untaken")
        drills.expect(
            "untaken",
            "Katib's controller does not take it up: it has no status, more than 10 s after it was "
            f"made. Hint: {CONTROLLER}",
        )


def test_a_webhook_that_goes_away(drills: Drills) -> None:
    needs_parts()
    lasting = training(f"echo mse=1; {WHILE_COLLECTOR_LOOKS}")
    drills.start("unhooked", lasting, "--trials", "2")
    drills.when("unhooked", lambda status: status["state"] == "running")
    with without_webhooks(drills.namespace):
        drills.expect(
            "unhooked",
            "The running trial is stuck: no pod can be made, because the webhook "
            "mutator.pod.katib.kubeflow.org does not answer: dial tcp 127.0.0.1:8443: connect: "
            f"connection refused. Hint: {CONTROLLER}",
        )


def test_an_algorithm_without_an_image(drills: Drills) -> None:
    with without_image("sobol", "127.0.0.1:1/absent:1"):
        drills.start("unserved", {}, "--algorithm", "sobol")
        drills.expect(
            "unserved",
            "The service of the algorithm sobol does not run: the image 127.0.0.1:1/absent:1 "
            "cannot be pulled: dial tcp 127.0.0.1:1: connect: connection refused. Hint: kubectl "
            "describe pod {service} -n {namespace}   # then push the image, or name another: "
            "kubectl edit configmap katib-config -n kubeflow",
        )


def test_rights_that_are_missing(drills: Drills, tmp_path: Path) -> None:
    config = write_kubeconfig("housectl-trial", drills.namespace, tmp_path / "config")
    account = f"system:serviceaccount:{drills.namespace}:housectl-trial"
    context = kubectl("config", "current-context").strip()
    assert error(drills.project.run("status", "any", "--json", KUBECONFIG=config)) == {
        "status": ExitStatus.CLUSTER,
        "reference": "cluster-forbidden",
        "message": f"The user {account} may not list experiments.kubeflow.org in the namespace "
        f"{drills.namespace}.",
        "hint": f"kubectl --context {context} auth can-i list experiments.kubeflow.org -n "
        f"{drills.namespace}   # housectl cluster init, run by an administrator, grants the permissions",
    }


@pytest.mark.parametrize("command", ["status", "list", "tune"])
def test_a_cluster_without_katib(command: str, drills: Drills, tmp_path: Path) -> None:
    named = {"status": ("any",), "list": (), "tune": ("--name", "any")}
    with strange_server(tmp_path / "config") as config:
        answer = drills.project.run(command, *named[command], "--json", KUBECONFIG=config)
    assert error(answer) == {
        "status": ExitStatus.CLUSTER,
        "reference": "katib-missing",
        "message": "The cluster has no Katib: it does not know Katib's kinds.",
        "hint": 'kubectl --context bare apply -k "github.com/kubeflow/katib.git/manifests/v1beta1/'
        'installs/katib-standalone?ref=v0.19.0"',
    }


def error(answer: CommandOutput) -> object:
    assert answer.err == ""
    return answer.json["error"]


class _Bare(BaseHTTPRequestHandler):
    """Answers as an API server does to all that it does not know."""

    def do_GET(self) -> None:
        body = b"404 page not found\n"
        self.send_response(404)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def strange_server(config: Path) -> Iterator[str]:
    """Serve an API without any kinds, and yield the path of its kubeconfig."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Bare)
    thread = Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    context = {"cluster": "bare", "user": "nobody"}
    config.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "bare",
                "clusters": [{"name": "bare", "cluster": {"server": address}}],
                "users": [{"name": "nobody", "user": {}}],
                "contexts": [{"name": "bare", "context": context}],
            }
        )
    )
    try:
        yield os.fspath(config)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
