"""CPU time of commands about searches with many trials on a cluster."""

import json
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from benchmarks.measurement import Direction, Measurement, cpu_seconds, log
from tools.kube_api.long_search import Objects, long_search
from tools.kube_api.running import kube_api
from tools.project_directory import HOUSECTL, ProjectDirectory

_ROUNDS = 5
_TRIALS = 10_000
_SEARCHES = 100
_COMMANDS = {
    f"status, a search of {_TRIALS:,} trials": ("long", ("status", "long")),
    f"list, {_SEARCHES} searches of {_TRIALS // _SEARCHES} trials": ("many", ("list",)),
}


def measure(project: Path, scratch: Path) -> list[Measurement]:
    """Run commands on one search with many trials, and on many searches.

    Katib cannot hold as many trials with more parameters. The API server is a process with TLS
    that serves made objects.
    """
    log(f"long searches: {_ROUNDS} rounds")
    render = ("render", "--name", "long", "--image", "registry/trainer:1")
    rendered = ProjectDirectory(project).run_ok(*render, HOUSECTL_BACKEND="katib")
    search = yaml.safe_load(rendered.out)
    objects = {"long": long_search(search, trials=_TRIALS), "many": _many(search)}
    with ExitStack() as stack:
        servers: dict[str, Path] = {}
        for name, served in objects.items():
            directory = scratch / f"api-{name}"
            directory.mkdir()
            servers[name] = stack.enter_context(kube_api(served, directory))
        return _cpu_times(servers, project)


def _many(search: Mapping[str, Any]) -> Objects:
    text = json.dumps(search)
    objects: Objects = {}
    for number in range(_SEARCHES):
        renamed = json.loads(text.replace("long", f"search{number}"))
        for path, items in long_search(renamed, trials=_TRIALS // _SEARCHES).items():
            objects.setdefault(path, []).extend(items)
    return objects


def _cpu_times(servers: Mapping[str, Path], project: Path) -> list[Measurement]:
    python: list[float] = []
    times: dict[str, list[float]] = {title: [] for title in _COMMANDS}
    for _ in range(_ROUNDS):
        python.append(cpu_seconds((sys.executable, "-c", "pass"), cwd=project))
        for title, (server, command) in _COMMANDS.items():
            variables = {"KUBECONFIG": str(servers[server]), "HOUSECTL_BACKEND": "katib"}
            with patch.dict("os.environ", variables):
                times[title].append(cpu_seconds((HOUSECTL, *command), cwd=project))
    return [
        Measurement(
            name=f"housectl {title}, on Katib: CPU s over python -c pass",
            ratio=min(seconds) - min(python),
            goal=0.3,
            better=Direction.LOWER,
            detail=f"{min(seconds):.2f} against {min(python):.3f} s, best of {_ROUNDS}",
            unit="s",
        )
        for title, seconds in times.items()
    ]
