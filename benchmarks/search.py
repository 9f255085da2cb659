"""The wall time of a search, against one written by hand that measures the same trials."""

import json
import sys
from operator import truediv
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.measurement import Direction, Measurement, log, wall_seconds
from benchmarks.search_housectl import SETTINGS
from benchmarks.workbench import ROOT, copy_project, open_pipeline
from housectl.contract.bundle import NATIVE_FILES
from housectl.contract.files import file_digest
from housectl.contract.recipe import derived_seed
from housectl.experiment import best_trial
from housectl.pipeline import Pipeline
from housectl_trainer.data import load

_ROUNDS = 5
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def measure(scratch: Path) -> list[Measurement]:
    """Search in turn with housectl and by hand, whole processes, and compare round by round."""
    project = copy_project(scratch / "project")
    by_hand = scratch / "by-hand"
    by_hand.mkdir()
    pipeline = open_pipeline(project, SETTINGS)
    ours, theirs = [], []
    for number in range(_ROUNDS):
        log(f"search: round {number + 1} of {_ROUNDS}")
        ours.append(_housectl(project, f"round-{number}"))
        if number == 0:
            _give(pipeline, by_hand)
        theirs.append(_baseline(by_hand))
    _check_same_model(pipeline, by_hand)
    return [
        Measurement(
            name="search: 30 trials, 2 workers",
            ratio=median(map(truediv, ours, theirs)),
            goal=1.05,
            better=Direction.LOWER,
            detail=f"{_listed(ours)} against {_listed(theirs)} s",
        )
    ]


def _housectl(project: Path, name: str) -> float:
    # The repository's own package must be found from the project's directory.
    command = [sys.executable, "-m", "benchmarks.search_housectl", name]
    return wall_seconds(command, cwd=project, environment={"PYTHONPATH": str(ROOT)})


def _baseline(by_hand: Path) -> float:
    command = (sys.executable, ROOT / "benchmarks" / "search_baseline.py")
    return wall_seconds(command, cwd=by_hand, environment=_ONE_THREAD)


def _give(pipeline: Pipeline, by_hand: Path) -> None:
    """Write down the rows, the folds' seed and the assignments of the search that has ended."""
    seed = pipeline.project.seed
    training = load(pipeline.write_inputs()).training
    np.save(by_hand / "rows.npy", training.rows)
    np.save(by_hand / "targets.npy", training.targets)
    snapshot = pipeline.backend.observe(pipeline.backend.handle("round-0"))
    searched = ("max_features", "min_samples_leaf")
    given = {
        "seed": seed,
        "fold_seed": derived_seed(seed, "objective"),
        "assignments": [
            {name: trial.assignment[name] for name in searched} for trial in snapshot.trials
        ],
    }
    (by_hand / "given.json").write_text(json.dumps(given))


def _check_same_model(pipeline: Pipeline, by_hand: Path) -> None:
    """Make sure that both did the same work: their model files have the same bytes."""
    handle = pipeline.backend.handle("round-0")
    best = best_trial(pipeline.backend.observe(handle).trials)
    if best is None:
        raise RuntimeError("the search has no best trial")
    output = pipeline.backend.fetch(handle, best.name, by_hand / "fetched")
    name = NATIVE_FILES[best.family]
    if file_digest(output / name) != file_digest(by_hand / name):
        raise RuntimeError("the two searches found different models: they cannot be compared")


def _listed(seconds: list[float]) -> str:
    return ", ".join(f"{each:.2f}" for each in seconds)
