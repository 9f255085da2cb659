"""Wall time of searches, against hand-written searches of the same trials."""

import json
import sys
from dataclasses import dataclass
from operator import truediv
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.measurement import Direction, Measurement, log, wall_seconds
from benchmarks.search_housectl import SEARCHES
from benchmarks.workbench import open_project
from housectl.contract.files import file_digest
from housectl.contract.recipe import derived_seed
from housectl.experiment import Trial, TrialState, best_trial
from housectl.project_context import ProjectContext
from housectl_trainer.data import load_dataset
from housectl_trainer.target_scale import TargetScale
from tools.project_directory import ROOT, copy_boston

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True, kw_only=True)
class _Comparison:
    """One search of both sides in turn; the goal is the ratio of their times."""

    kind: str
    title: str
    goal: float
    rounds: int


_COMPARISONS = (
    _Comparison(kind="complete", title="search: 30 trials, 2 workers", goal=1.05, rounds=5),
    _Comparison(
        kind="pruned", title="search with pruning: 60 trials, 2 workers", goal=0.70, rounds=3
    ),
)


def measure(scratch: Path) -> list[Measurement]:
    """Run housectl and the baseline in turn, as processes, and compare each round."""
    return [_measure(comparison, scratch / comparison.kind) for comparison in _COMPARISONS]


def _measure(comparison: _Comparison, scratch: Path) -> Measurement:
    project = copy_boston(scratch / "project").path
    baseline = scratch / "baseline"
    baseline.mkdir(parents=True)
    context = open_project(project, SEARCHES[comparison.kind].settings).context
    housectl_seconds, baseline_seconds = [], []
    for number in range(comparison.rounds):
        log(f"{comparison.title}: round {number + 1} of {comparison.rounds}")
        housectl_seconds.append(_run_housectl(project, comparison.kind, f"round-{number}"))
        if number == 0:
            _export_trials(context, baseline)
        baseline_seconds.append(_run_baseline(baseline))
    times = f"{_joined(housectl_seconds)} against {_joined(baseline_seconds)} s"
    return Measurement(
        name=comparison.title,
        ratio=median(map(truediv, housectl_seconds, baseline_seconds)),
        goal=comparison.goal,
        better=Direction.LOWER,
        detail=f"{times}; {_describe_outcome(context, baseline)}",
    )


def _run_housectl(project: Path, kind: str, name: str) -> float:
    # The project's directory is the working directory, which has no `benchmarks`.
    command = [sys.executable, "-m", "benchmarks.search_housectl", kind, name]
    return wall_seconds(command, cwd=project, environment={"PYTHONPATH": str(ROOT)})


def _run_baseline(directory: Path) -> float:
    command = (sys.executable, ROOT / "benchmarks" / "search_baseline.py")
    return wall_seconds(command, cwd=directory, environment=_ONE_THREAD)


def _export_trials(context: ProjectContext, directory: Path) -> None:
    """Write the rows, the seeds and the assignments of the finished search for the baseline."""
    seed = context.config.seed
    training = load_dataset(context.write_inputs()).training
    np.save(directory / "rows.npy", training.rows)
    np.save(
        directory / "targets.npy", TargetScale.of(training.targets).standardise(training.targets)
    )
    search = {
        "seed": seed,
        "fold_seed": derived_seed(seed, "objective"),
        "trials": [(trial.family, dict(trial.assignment)) for trial in _trials(context)],
    }
    (directory / "search.json").write_text(json.dumps(search))


def _trials(context: ProjectContext) -> list[Trial]:
    snapshot = context.backend.observe(context.backend.handle("round-0"))
    return sorted(snapshot.trials, key=lambda trial: trial.number)


def _describe_outcome(context: ProjectContext, baseline: Path) -> str:
    """Compare the best trials.

    Raises:
        RuntimeError: No trial was pruned, and yet both searches trained different models.
    """
    trials = _trials(context)
    pruned = sum(trial.state is TrialState.PRUNED for trial in trials)
    best = best_trial(trials)
    if best is None:
        raise RuntimeError("the search has no best trial")
    if not pruned:
        _check_same_model(context, best, baseline)
        return "the same model"
    is_same = json.loads((baseline / "best.json").read_text()) == dict(best.assignment)
    return f"{pruned} trials pruned, {'the same' if is_same else 'another'} best trial"


def _check_same_model(context: ProjectContext, best: Trial, baseline: Path) -> None:
    handle = context.backend.handle("round-0")
    output = context.backend.fetch(handle, best.name, baseline / "fetched")
    model = output / best.family.definition.native_file
    if file_digest(model) != file_digest(baseline / "model.joblib"):
        raise RuntimeError("the two searches trained different models and cannot be compared")


def _joined(seconds: list[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in seconds)
