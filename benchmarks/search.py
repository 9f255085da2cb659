"""Wall time of a search, against a hand-written search of the same trials."""

import json
import sys
from operator import truediv
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.measurement import Direction, Measurement, log, wall_seconds
from benchmarks.search_housectl import SETTINGS
from benchmarks.workbench import open_project
from housectl.contract.files import file_digest
from housectl.contract.recipe import derived_seed
from housectl.experiment import best_trial
from housectl.project_context import ProjectContext
from housectl_trainer.data import load_dataset
from tools.project_directory import ROOT, copy_boston

_ROUNDS = 5
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def measure(scratch: Path) -> list[Measurement]:
    """Run housectl and the baseline in turn, as processes, and compare each round."""
    project = copy_boston(scratch / "project").path
    baseline = scratch / "baseline"
    baseline.mkdir()
    context = open_project(project, SETTINGS).context
    housectl_seconds, baseline_seconds = [], []
    for number in range(_ROUNDS):
        log(f"search: round {number + 1} of {_ROUNDS}")
        housectl_seconds.append(_run_housectl(project, f"round-{number}"))
        if number == 0:
            _export_trials(context, baseline)
        baseline_seconds.append(_run_baseline(baseline))
    _check_same_model(context, baseline)
    return [
        Measurement(
            name="search: 30 trials, 2 workers",
            ratio=median(map(truediv, housectl_seconds, baseline_seconds)),
            goal=1.05,
            better=Direction.LOWER,
            detail=f"{_joined(housectl_seconds)} against {_joined(baseline_seconds)} s",
        )
    ]


def _run_housectl(project: Path, name: str) -> float:
    # The project's directory is the working directory, which has no `benchmarks`.
    command = [sys.executable, "-m", "benchmarks.search_housectl", name]
    return wall_seconds(command, cwd=project, environment={"PYTHONPATH": str(ROOT)})


def _run_baseline(directory: Path) -> float:
    command = (sys.executable, ROOT / "benchmarks" / "search_baseline.py")
    return wall_seconds(command, cwd=directory, environment=_ONE_THREAD)


def _export_trials(context: ProjectContext, directory: Path) -> None:
    """Write the rows, the seeds and the assignments of the finished search for the baseline."""
    seed = context.config.seed
    training = load_dataset(context.write_inputs()).training
    np.save(directory / "rows.npy", training.rows)
    np.save(directory / "targets.npy", training.targets)
    snapshot = context.backend.observe(context.backend.handle("round-0"))
    parameters = ("max_features", "min_samples_leaf")
    trials = {
        "seed": seed,
        "fold_seed": derived_seed(seed, "objective"),
        "assignments": [
            {name: trial.assignment[name] for name in parameters} for trial in snapshot.trials
        ],
    }
    (directory / "trials.json").write_text(json.dumps(trials))


def _check_same_model(context: ProjectContext, baseline: Path) -> None:
    """Raise an error unless both searches wrote the same bytes to their model files."""
    handle = context.backend.handle("round-0")
    best = best_trial(context.backend.observe(handle).trials)
    if best is None:
        raise RuntimeError("the search has no best trial")
    output = context.backend.fetch(handle, best.name, baseline / "fetched")
    name = best.family.definition.native_file
    if file_digest(output / name) != file_digest(baseline / name):
        raise RuntimeError("the two searches trained different models and cannot be compared")


def _joined(seconds: list[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in seconds)
