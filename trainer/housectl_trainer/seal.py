"""Sealing: a trial's recipe becomes a bundle, with the evidence for a verdict."""

import hashlib
import platform
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import joblib
import numpy as np
from msgspec.structs import asdict

from housectl.contract.bundle import (
    CARD_FILE,
    MODEL_FILE,
    Provenance,
    RecipeOrigin,
)
from housectl.contract.families import Family
from housectl.contract.golden import GOLDEN_FILE, Golden
from housectl.contract.metrics import METRICS_FILE, Metrics
from housectl.contract.parameters import Assignment
from housectl.contract.recipe import Recipe, derived_seed
from housectl.contract.scorer import Scorer
from housectl.contract.sealed import write_sealed
from housectl.errors import SealError
from housectl_trainer.data import Dataset
from housectl_trainer.evaluation import mean_objective, model_mse, standard_deviation
from housectl_trainer.evidence import evidence_of, fold_errors
from housectl_trainer.fitting import fit, make_recipe
from housectl_trainer.golden import golden_of
from housectl_trainer.model_card import model_card
from housectl_trainer.model_family import Model, load_family
from housectl_trainer.onnx_export import to_onnx
from housectl_trainer.parity import check_parity, probes


@dataclass(frozen=True)
class _Graph:
    """An ONNX graph that was proven, and the golden rows to prove it again."""

    content: bytes
    golden: Golden


def seal(
    dataset: Dataset,
    family: Family,
    assignment: Assignment,
    *,
    output: Path,
    origin: RecipeOrigin,
    model_sha256: str | None = None,
) -> None:
    """Refit a recipe and write `output/bundle/` and `output/evidence.json`, both or none.

    Args:
        dataset: What the model learns from.
        family: The model's family.
        assignment: Its parameters.
        output: Directory that appears whole or not at all, in place of what another task has left.
        origin: For the bundle's provenance.
        model_sha256: What the refitted model's file must be; None when there is no model yet.

    Raises:
        SealError: The refitted model is another one, or its ONNX graph predicts otherwise.
        AssignmentError: The library refuses the assignment, or the objective is not finite.
        MachineError: The output cannot be written.
        MemoryError: There is not enough memory.
    """
    recipe = make_recipe(dataset.shared, family, assignment)
    cores = joblib.cpu_count()
    errors = fold_errors(recipe, dataset.training, processes=cores)
    model = fit(recipe, dataset.training, threads=cores)
    native = model.native()
    _check_same(native, model_sha256)
    graph = _proven_graph(model, recipe, dataset)
    metrics = Metrics(
        mse=mean_objective(errors.objective),
        fold_mses=errors.objective,
        holdout_mse=model_mse(model, dataset.holdout),
    )
    evidence = evidence_of(recipe, dataset, gate=errors.gate, model=model)
    files = {
        MODEL_FILE: graph.content,
        family.definition.native_file: native,
        METRICS_FILE: metrics.to_json(),
        GOLDEN_FILE: graph.golden.to_json(),
        CARD_FILE: model_card(dataset, metrics, evidence, graph.golden).encode(),
    }
    write_sealed(
        output,
        files,
        schema=dataset.shared.schema,
        evidence=evidence,
        provenance=_provenance(origin),
    )


def _check_same(native: bytes, expected: str | None) -> None:
    found = hashlib.sha256(native).hexdigest()
    if expected not in {None, found}:
        raise SealError(
            f"The refitted model has the sha256 {found}, the trial's model has {expected}: "
            "the same recipe gave another model here, so what the trial measured does not hold "
            "for it. Usually the library versions or the processor architecture differ.",
            hint="housectl tune   # searches and seals with one and the same trainer",
        )


def _proven_graph(model: Model, recipe: Recipe, dataset: Dataset) -> _Graph:
    ensemble = model.ensemble()
    content = to_onnx(ensemble, features=len(recipe.features))
    scorer = Scorer(content, features=len(recipe.features))
    deviation = standard_deviation(dataset.training.targets)
    tolerance = load_family(recipe.family).parity_tolerance * deviation
    rows = np.concatenate([dataset.training.rows, dataset.holdout.rows])
    at_thresholds = probes(ensemble, rows, seed=derived_seed(recipe.seed, "parity"))
    checked = np.concatenate([rows, at_thresholds])
    worst = check_parity(scorer, model.predict, checked, tolerance=tolerance)
    print(
        f"parity: {len(checked)} rows, largest difference {worst:.2g}, allowed {tolerance:.2g}",
        file=sys.stderr,
        flush=True,
    )
    golden = golden_of(model, rows, at_thresholds, features=recipe.features, tolerance=tolerance)
    return _Graph(content=content, golden=golden)


def _provenance(origin: RecipeOrigin) -> Provenance:
    return Provenance(
        **asdict(origin),
        python=platform.python_version(),
        platform=platform.platform(),
        sealed_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
