"""Time until a search's first trial runs, against `kubectl apply` of the same manifests."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.cluster.bench import ClusterBench
from benchmarks.measurement import Direction, Measurement, log, wall_seconds
from housectl.backends.katib.labels_and_paths import EXPERIMENT_LABEL, TRIAL_LABEL
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.kube.kinds import PODS
from housectl.kube.objects.pods import Pod
from tools.dev_cluster.kubectl import kubectl_environment
from tools.project_directory import HOUSECTL

_ROUNDS = 7
_TIMEOUT_SECONDS = 120


def measure(bench: ClusterBench) -> list[Measurement]:
    """Start searches in turn with `tune` and kubectl; the PVC has their inputs already."""
    tune_seconds, kubectl_seconds = [], []
    for number in range(_ROUNDS + 1):
        log(f"start: round {number} of {_ROUNDS}; round 0 is a warm-up")
        tune_seconds.append(_start_with_tune(bench, f"tuned-{number}"))
        kubectl_seconds.append(_start_with_kubectl(bench, f"applied-{number}"))
    return [
        Measurement(
            name="start of the first trial: tune over kubectl apply",
            ratio=median(tune_seconds[1:]) / median(kubectl_seconds[1:]),
            goal=1.2,
            better=Direction.LOWER,
            detail=f"medians of {_joined(tune_seconds[1:])} and {_joined(kubectl_seconds[1:])} s",
        )
    ]


def _start_with_tune(bench: ClusterBench, name: str) -> float:
    return _seconds_until_running(bench, name, bench.tune_command(name, trials=1))


def _start_with_kubectl(bench: ClusterBench, name: str) -> float:
    manifests = bench.project / f"{name}.yaml"
    render = (HOUSECTL, "render", "--name", name, "--trials", "1")
    with manifests.open("w") as file:
        subprocess.run(render, cwd=bench.project, stdout=file, check=True)
    return _seconds_until_running(bench, name, ("kubectl", "apply", "--filename", manifests))


def _seconds_until_running(bench: ClusterBench, name: str, command: Sequence[str | Path]) -> float:
    """Run a command, return the seconds until a trial's trainer runs, and clean up."""
    since = bench.kube.list(PODS, Pod).version
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=bench.project,
        env=os.environ | kubectl_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_trainer(bench, name, since)
        return time.perf_counter() - start
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        wall_seconds((HOUSECTL, "delete", name), cwd=bench.project)


def _wait_for_trainer(bench: ClusterBench, name: str, since: str) -> None:
    labels = f"{EXPERIMENT_LABEL}={name},{TRIAL_LABEL}"
    changes = bench.kube.watch(PODS, Pod, labels=labels, since=since, seconds=_TIMEOUT_SECONDS)
    for change in changes:
        if change.type in {"ADDED", "MODIFIED"}:
            for status in change.object.status.container_statuses:
                if status.name == CONTAINER and status.state.running:
                    return
    raise TimeoutError(f"no trial of {name} is running after {_TIMEOUT_SECONDS} s")


def _joined(seconds: Sequence[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in seconds)
