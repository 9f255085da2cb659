"""Killing a part of Kubernetes itself, on whichever cluster the tests have."""

import os
import signal
import subprocess
import time

from tests.cluster.nodes import bed, kubectl
from tests.cluster.setup import TESTBED

_PATIENCE_SECONDS = 180.0


def kill_and_restart(component: str) -> None:
    """Kill kube-apiserver or kubelet without warning, and wait until it is there again."""
    pid_file = bed() / "run" / f"{component}.pid"
    if pid_file.exists():
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        subprocess.run([TESTBED / "up"], stdout=subprocess.DEVNULL, check=True)
    else:
        # Minikube's own supervisors start again what was killed.
        subprocess.run(["minikube", "ssh", "--", f"sudo pkill -KILL {component}"], check=True)
    _wait_for_nodes()


def _wait_for_nodes() -> None:
    """Wait until the API server, which may be away for seconds, says that all nodes are ready."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=10s")
        except subprocess.CalledProcessError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return
