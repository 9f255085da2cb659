"""Killing a part of Kubernetes itself, on whichever cluster the tests have."""

import os
import signal
import subprocess
from pathlib import Path

from tests.cluster.bringing_up import TESTBED
from tests.cluster.nodes import kubectl


def kill_and_restart(component: str) -> None:
    """Kill kube-apiserver or kubelet without warning, and wait until it is there again."""
    pid_file = Path(os.environ["KUBECONFIG"]).parent / "run" / f"{component}.pid"
    if pid_file.exists():
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        subprocess.run([TESTBED / "up"], stdout=subprocess.DEVNULL, check=True)
    else:
        # Minikube's own supervisors start again what was killed.
        subprocess.run(["minikube", "ssh", "--", f"sudo pkill -KILL {component}"], check=True)
    kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s")
