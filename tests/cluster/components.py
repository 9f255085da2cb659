"""Kills of Kubernetes components, on a test bed or on Minikube."""

import os
import signal
import subprocess
import time

from tools.dev_cluster.kubectl import bed_directory, kubectl
from tools.dev_cluster.setup import TEST_BED

_TIMEOUT_SECONDS = 180.0


def kill_and_restart(component: str) -> None:
    """Send SIGKILL to kube-apiserver or kubelet, and wait until it has restarted."""
    pid_file = bed_directory() / "run" / f"{component}.pid"
    if pid_file.exists():
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        subprocess.run([TEST_BED / "up"], stdout=subprocess.DEVNULL, check=True)
    else:
        # Minikube restarts killed components itself.
        subprocess.run(["minikube", "ssh", "--", f"sudo pkill -KILL {component}"], check=True)
    _wait_for_nodes()


def _wait_for_nodes() -> None:
    """Wait until all nodes are ready; the API server may be unavailable for a few seconds."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while True:
        try:
            kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=10s")
        except subprocess.CalledProcessError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return
