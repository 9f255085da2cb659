"""CPU time of commands about a search with many trials on a cluster."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import yaml

from benchmarks.measurement import Direction, Measurement, cpu_seconds, log
from tools.kube_api.long_search import long_search
from tools.kube_api.running import kube_api
from tools.project_directory import HOUSECTL, ProjectDirectory

_ROUNDS = 5
_FEW, _MANY = 10, 10_000
_COMMANDS = {"status": ("status", "long"), "list": ("list",)}


def measure(project: Path, scratch: Path) -> list[Measurement]:
    """Run each command on a search with few trials and on one with many, and subtract.

    Katib cannot hold as many trials with more parameters. The API server is a process with TLS
    that serves made objects.
    """
    log(f"long searches: {_ROUNDS} rounds")
    render = ("render", "--name", "long", "--image", "registry/trainer:1")
    rendered = ProjectDirectory(project).run_ok(*render, HOUSECTL_BACKEND="katib")
    experiment = yaml.safe_load(rendered.out)
    with ExitStack() as stack:
        servers: dict[int, Path] = {}
        for trials in (_FEW, _MANY):
            directory = scratch / f"api-{trials}"
            directory.mkdir()
            objects = long_search(experiment, trials=trials)
            servers[trials] = stack.enter_context(kube_api(objects, directory))
        return [_added(name, servers, project) for name in _COMMANDS]


def _added(name: str, servers: Mapping[int, Path], project: Path) -> Measurement:
    times: dict[int, list[float]] = {trials: [] for trials in servers}
    for _ in range(_ROUNDS):
        for trials, kubeconfig in servers.items():
            variables = {"KUBECONFIG": str(kubeconfig), "HOUSECTL_BACKEND": "katib"}
            with patch.dict("os.environ", variables):
                times[trials].append(cpu_seconds((HOUSECTL, *_COMMANDS[name]), cwd=project))
    few, many = min(times[_FEW]), min(times[_MANY])
    return Measurement(
        name=f"housectl {name}, {_MANY:,} trials on Katib: CPU s over {_FEW} trials",
        ratio=many - few,
        goal=0.3,
        better=Direction.LOWER,
        detail=f"{many:.2f} against {few:.2f} s, best of {_ROUNDS}",
        unit="s",
    )
