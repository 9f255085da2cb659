"""The measured steps of a project, each a real command in a process of its own."""

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from benchmarks.measurement import log
from benchmarks.scale.data import TARGET, write_data
from benchmarks.scale.process_memory import Cost, MemorySampler, measure_command
from housectl.contract.families import Family
from housectl.store.local import LocalStore
from tools.project_directory import HOUSECTL, ROOT
from tools.server_process import free_port, server_process

DATA = "data.csv"
_SEARCH = "search"
_PREDICT = "/predict"
_PREDICTIONS = 300
_PAUSE_SECONDS = 0.02
_FAMILY = Family.XGBOOST
_COMMANDS = {
    "`init`": ("init", "--data", DATA, "--target", TARGET),
    "`doctor`": ("doctor",),
}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Costs of all steps for one number of rows.

    Attributes:
        csv_bytes: Size of the data file.
        family: Family of the best trial.
        bundle_bytes: Size of the best trial's graph.
        costs: Cost of each step, by its name.
    """

    rows: int
    csv_bytes: int
    family: str
    bundle_bytes: int
    costs: dict[str, Cost]


def measure_rows(project: Path, rows: int) -> Measured:
    """Generate data, and measure all steps in a new project directory."""
    project.mkdir(parents=True)
    write_data(project / DATA, rows)
    costs = {}
    for name, arguments in _COMMANDS.items():
        costs[name] = _logged(name, measure_command([HOUSECTL, *arguments], cwd=project).cost)
    family, costs["search of 10"] = _search(project)
    costs["one trial"] = _logged("one trial", _trial(project))
    seal = measure_command([HOUSECTL, "tune", "--resume", _SEARCH], cwd=project).cost
    costs["sealing"] = _logged("sealing", seal)
    promote = measure_command([HOUSECTL, "promote"], cwd=project).cost
    costs["`promote`"] = _logged("promote", promote)
    for name, cost in _serve(project):
        costs[name] = _logged(name, cost)
    store = LocalStore(project / ".housectl" / "store")
    return Measured(
        rows=rows,
        csv_bytes=(project / DATA).stat().st_size,
        family=family,
        bundle_bytes=len(store.bundle(store.require_champion().bundle).model),
        costs=costs,
    )


def _search(project: Path) -> tuple[str, Cost]:
    """Return the family of the best trial, and the cost of a search."""
    # The project's directory is the working directory, which has no `benchmarks`.
    command = [sys.executable, "-m", "benchmarks.scale.search", _SEARCH]
    result = measure_command(command, cwd=project, environment={"PYTHONPATH": str(ROOT)})
    return result.output.decode().split()[-1], _logged("search of 10", result.cost)


def _trial(project: Path) -> Cost:
    """Measure the process that a pod of Katib runs.

    The best trials of few and of many rows are of different families, whose times say nothing about
    the growth. So every number of rows gets the same assignment.
    """
    (inputs,) = (project / ".housectl" / "inputs").iterdir()
    values = [f"{name}={value}" for name, value in _FAMILY.definition.hand_tuned.items()]
    trainer = (sys.executable, "-m", "housectl_trainer", "trial", "--inputs", inputs)
    output = ("--output", project / "trial", "--family", _FAMILY)
    return measure_command([*trainer, *output, *values], cwd=project).cost


def _serve(project: Path) -> Iterator[tuple[str, Cost]]:
    port = free_port()
    body = _body(project)
    with MemorySampler() as sampler:
        start = time.perf_counter()
        with server_process(
            [HOUSECTL, "serve", "-C", project, "--port", str(port)],
            url=f"http://127.0.0.1:{port}{_PREDICT}",
            log=project / "server.log",
            environment={**os.environ, **sampler.environment},
        ):
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            while _predict(connection, body) != HTTPStatus.OK:
                time.sleep(_PAUSE_SECONDS)
            yield "server ready", sampler.cost(time.perf_counter() - start)
            times = []
            for _ in range(_PREDICTIONS):
                start = time.perf_counter()
                _predict(connection, body)
                times.append(time.perf_counter() - start)
            yield "one prediction", replace(sampler.cost(median(times)), cpu_seconds=median(times))


def _body(project: Path) -> bytes:
    store = LocalStore(project / ".housectl" / "store")
    golden = store.bundle(store.require_champion().bundle).golden
    return json.dumps(dict(zip(golden.features, golden.rows[0].row, strict=True))).encode()


def _predict(connection: HTTPConnection, body: bytes) -> int:
    connection.request("POST", _PREDICT, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    return response.status


def _logged(name: str, cost: Cost) -> Cost:
    log(
        f"  {name}: {cost.seconds:.3g} s, {cost.cpu_seconds:.3g} s of CPU, "
        f"{cost.memory / 2**20:.0f} MiB"
    )
    return cost
