"""Data that grow beyond 2,000 training rows get a gate with fewer folds."""

import random
from pathlib import Path

import pytest

from housectl.contract.bundle_record import CARD_FILE
from housectl.contract.evidence import Evidence
from housectl.contract.recipe import DEFAULT_GATE, GateFolds
from housectl.store.layout import evidence_file_key
from housectl.store.local import LocalStore
from tools.project_directory import ProjectDirectory

pytestmark = pytest.mark.slow


def write_rows(path: Path, count: int) -> None:
    """Write rows of which the first ones do not depend on their number."""
    rng = random.Random(3)
    lines = ["a,b,y"]
    for _ in range(count):
        a, b = rng.uniform(0, 10), rng.uniform(0, 10)
        lines.append(f"{a:.4f},{b:.4f},{a * b + rng.gauss(0, 1):.4f}")
    path.write_text("\n".join(lines) + "\n")


def newest_evidence(project: ProjectDirectory) -> Evidence:
    store = LocalStore(project.store)
    evidence = store.evidence(store.newest_challenger().bundle)
    assert evidence is not None
    return evidence


def test_champion_is_measured_again_on_the_challengers_folds(tmp_path: Path) -> None:
    project = ProjectDirectory(tmp_path)
    fields = {
        "name": "growing",
        "data": "rows.csv",
        "target": {"name": "y"},
        "features": {name: {"min": 0, "max": 10} for name in ("a", "b")},
        "budget": {"trials": 1},
        "workers": 1,
    }
    write_rows(tmp_path / "rows.csv", 1_000)
    project.write({**fields, "family": "linear"})
    project.run_ok("tune", "--name", "few-rows")
    project.run_ok("promote")
    assert newest_evidence(project).recipe.gate_folds == DEFAULT_GATE

    write_rows(tmp_path / "rows.csv", 2_800)
    project.write(
        {
            **fields,
            "family": "xgboost",
            "space": {"max_depth": {"min": 3, "max": 4}, "n_estimators": 20},
            "folds": 3,
        }
    )
    project.run_ok("tune", "--name", "many-rows")
    challenger = newest_evidence(project)
    assert challenger.recipe.gate_folds == GateFolds(repeats=2)
    for errors in (challenger.model, challenger.mean, challenger.linear):
        assert len(errors.fold_mses) == 20

    promoted = project.run_ok("promote", "--json").json
    assert promoted["cv_mse_difference"] < 0  # type: ignore[operator]
    store = LocalStore(project.store)
    bundle = store.bundle(store.require_champion().bundle)
    assert len(bundle.metrics.fold_mses) == 3
    card = (project.store / "bundles" / bundle.digest / CARD_FILE).read_text()
    assert "the mean over 3 folds of the\n  training rows" in card
    assert "The gate uses 2 times 10 other folds of the training rows." in card
    assert (project.store / evidence_file_key(challenger.key)).exists()
    project.run_ok("store", "check")
