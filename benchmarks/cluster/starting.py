"""The time until a search's first trial runs, against `kubectl apply` of the same manifests."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.cluster.bench import ClusterBench
from benchmarks.measurement import Direction, Measurement, log, wall_seconds
from benchmarks.workbench import HOUSECTL
from housectl.backends.katib.naming import EXPERIMENT_LABEL, TRIAL_LABEL
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.kube.kinds import PODS
from housectl.kube.objects.base import parse
from housectl.kube.objects.pods import Pod
from tests.cluster.nodes import with_kubectl

_ROUNDS = 7
_PATIENCE_SECONDS = 120


def measure(bench: ClusterBench) -> list[Measurement]:
    """Start a search in turn with `tune` and with kubectl; the inputs are on the claim already."""
    ours, theirs = [], []
    for number in range(_ROUNDS + 1):
        log(f"start: round {number} of {_ROUNDS}, the first of which does not count")
        ours.append(_tuned(bench, f"tuned-{number}"))
        theirs.append(_applied(bench, f"applied-{number}"))
    return [
        Measurement(
            name="start of the first trial, over that after kubectl apply",
            ratio=median(ours[1:]) / median(theirs[1:]),
            goal=1.2,
            better=Direction.LOWER,
            detail=f"medians of {_listed(ours[1:])} and {_listed(theirs[1:])} s",
        )
    ]


def _tuned(bench: ClusterBench, name: str) -> float:
    return _until_running(bench, name, bench.tune(name, trials=1))


def _applied(bench: ClusterBench, name: str) -> float:
    manifests = bench.project / f"{name}.yaml"
    rendered = (HOUSECTL, "render", "--name", name, "--trials", "1")
    with manifests.open("w") as file:
        subprocess.run(rendered, cwd=bench.project, stdout=file, check=True)
    return _until_running(bench, name, ("kubectl", "apply", "--filename", manifests))


def _until_running(bench: ClusterBench, name: str, command: Sequence[str | Path]) -> float:
    """Run a command, return the seconds until the trainer of a trial runs, and clean up."""
    since = bench.kube.list(PODS).version
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=bench.project,
        env=os.environ | with_kubectl(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_trainer(bench, name, since)
        return time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        wall_seconds((HOUSECTL, "delete", name), cwd=bench.project)


def _wait_for_trainer(bench: ClusterBench, name: str, since: str) -> None:
    labels = f"{EXPERIMENT_LABEL}={name},{TRIAL_LABEL}"
    watched = bench.kube.watch(PODS, labels=labels, since=since, seconds=_PATIENCE_SECONDS)
    for change in watched:
        if change.type in {"ADDED", "MODIFIED"}:
            for status in parse(Pod, change.object).status.container_statuses:
                if status.name == CONTAINER and status.state.running:
                    return
    raise TimeoutError(f"no trial of {name} runs after {_PATIENCE_SECONDS} s")


def _listed(seconds: Sequence[float]) -> str:
    return ", ".join(f"{each:.1f}" for each in seconds)
