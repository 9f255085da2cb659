"""Sealing: refit a trial's recipe, and write a bundle with the evidence for a verdict."""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

import joblib
from msgspec import UNSET

from housectl.contract.bundle_record import CARD_FILE, MODEL_FILE, RecipeOrigin
from housectl.contract.evidence import Evidence
from housectl.contract.families import Family
from housectl.contract.golden import GOLDEN_FILE, Golden, GoldenSource
from housectl.contract.graph.arrays import Integers
from housectl.contract.leaf_rows import LEAF_ROWS_FILE, encode_leaf_rows
from housectl.contract.metrics import METRICS_FILE, Metrics
from housectl.contract.parameters import Assignment
from housectl.contract.recipe import Recipe, derived_seed
from housectl.contract.reference import REFERENCE_FILE
from housectl.contract.schema import Schema
from housectl.contract.scorer import Scorer, check_golden
from housectl.contract.seal_output import write_sealed
from housectl.contract.trainer_code import read_lock
from housectl.errors import SealError
from housectl_trainer.data import Dataset
from housectl_trainer.evaluation import mean_objective
from housectl_trainer.fitting import FittedModel, fit, make_recipe
from housectl_trainer.measure_evidence import fold_errors, measure_evidence
from housectl_trainer.sealing.golden import RowSource, golden_rows, row_source
from housectl_trainer.sealing.model_card import model_card
from housectl_trainer.sealing.onnx_export import to_onnx
from housectl_trainer.sealing.parity import (
    Tolerance,
    check_parity,
    far_probes,
    routing_probes,
    threshold_probes,
)
from housectl_trainer.sealing.provenance import make_provenance
from housectl_trainer.sealing.reference import make_reference
from housectl_trainer.subset import Floats


@dataclass(frozen=True)
class CheckedGraph:
    """An ONNX graph that passed the parity check, and the golden rows to repeat the check.

    Attributes:
        leaf_rows: `(leaves,)`, number of training rows in each leaf; None without trees.
    """

    content: bytes
    leaf_rows: Integers | None
    golden: Golden
    golden_source: GoldenSource


def seal(
    dataset: Dataset,
    family: Family,
    assignment: Assignment,
    *,
    output: Path,
    origin: RecipeOrigin,
    model_sha256: str | None = None,
    golden: GoldenSource = GoldenSource.DATA,
) -> None:
    """Refit a recipe and write `output/bundle/` and `output/evidence.json`, both or none.

    Args:
        dataset: The data of the experiment.
        family: The model's family.
        assignment: The model's parameters.
        output: Directory to write atomically; it replaces the output of another task.
        origin: Origin of the recipe, for the bundle's provenance.
        model_sha256: Expected digest of the refitted model's file; None if there is no model yet.
        golden: Origin of the golden rows.

    Raises:
        SealError: The refitted model or the predictions of its ONNX graph differ.
        AssignmentError: The library rejects the assignment, or the objective is not finite.
        LocalEnvironmentError: The output cannot be written.
        MemoryError: There is not enough memory.
    """
    recipe = make_recipe(dataset.shared, family, assignment)
    cores = joblib.cpu_count()
    errors = fold_errors(recipe, dataset.training, processes=cores)
    model = fit(recipe, dataset.training, threads=cores)
    native = _checked_native(model, model_sha256)
    graph = checked_graph(model, recipe, dataset, golden)
    evidence = measure_evidence(recipe, dataset, gate=errors.gate, model=model)
    lock = read_lock()
    write_sealed(
        output,
        _bundle_files(dataset, native, graph, evidence, objective_mses=errors.objective),
        schema=dataset.shared.schema,
        evidence=evidence,
        provenance=make_provenance(origin, golden=golden, lock=lock),
        lock=lock,
    )


def _bundle_files(
    dataset: Dataset,
    native: bytes,
    graph: CheckedGraph,
    evidence: Evidence,
    *,
    objective_mses: tuple[float, ...],
) -> dict[str, bytes]:
    """Return the files of the bundle by name; the record is not among them."""
    metrics = Metrics(
        mse=mean_objective(objective_mses),
        fold_mses=objective_mses,
        holdout_mse=evidence.model.holdout_mse,
    )
    leaf_rows = (
        {} if graph.leaf_rows is None else {LEAF_ROWS_FILE: encode_leaf_rows(graph.leaf_rows)}
    )
    return {
        MODEL_FILE: graph.content,
        evidence.recipe.family.definition.native_file: native,
        METRICS_FILE: metrics.to_json(),
        GOLDEN_FILE: graph.golden.to_json(),
        CARD_FILE: model_card(
            dataset, metrics, evidence, graph.golden, golden_source=graph.golden_source
        ).encode(),
        REFERENCE_FILE: make_reference(dataset, graph.golden_source).to_json(),
        **leaf_rows,
    }


def _checked_native(model: FittedModel, expected: str | None) -> bytes:
    native = model.native()
    actual = hashlib.sha256(native).hexdigest()
    if expected not in {None, actual}:
        raise SealError(
            f"The refitted model has the sha256 {actual}, but the trial's model has {expected}: "
            "the same recipe gave another model here. Usually the library versions or the "
            "processor architecture differ.",
            hint="housectl tune   # searches and seals with the same trainer",
        )
    return native


def checked_graph(
    model: FittedModel, recipe: Recipe, dataset: Dataset, golden_source: GoldenSource
) -> CheckedGraph:
    """Return the graph of a model, and golden rows, after the parity check.

    Raises:
        SealError: A prediction of the graph differs from the model's, or the model has too many
            trees or levels.
    """
    export = to_onnx(model.body, expansion=model.expansion, scale=model.scale)
    schema = dataset.shared.schema
    scorer = Scorer(export.content, schema=schema)
    bound = recipe.family.definition.parity_bound
    tolerance = Tolerance.for_model(model.scale, dataset.training.targets, bound=bound)
    source = row_source(golden_source, dataset, seed=derived_seed(recipe.seed, "golden"))
    rows = golden_rows(model, source, schema, seed=derived_seed(recipe.seed, "golden/thresholds"))
    golden = Golden(
        tolerance=tolerance.absolute,
        relative_tolerance=tolerance.relative or UNSET,
        features=recipe.features,
        rows=rows,
    )
    checked = _parity_rows(model, dataset, source, seed=derived_seed(recipe.seed, "parity"))
    worst = max(
        check_parity(scorer, model.predict, part, tolerance=tolerance)
        for part in checked
        if len(part)
    )
    _check_golden(scorer, golden, schema)
    print(
        f"parity: {sum(map(len, checked)) + len(rows)} rows, largest difference {worst:.2g}, "
        f"allowed {tolerance.absolute:.2g}",
        file=sys.stderr,
        flush=True,
    )
    return CheckedGraph(
        content=export.content,
        leaf_rows=export.leaf_rows,
        golden=golden,
        golden_source=golden_source,
    )


def _parity_rows(
    model: FittedModel, dataset: Dataset, source: RowSource, *, seed: int
) -> tuple[Floats, ...]:
    """Return all rows, and probes: at thresholds, with codes and missing values, out of range."""
    columns = source.columns
    return (
        dataset.all_rows,
        threshold_probes(model.thresholds(), columns, seed=seed),
        routing_probes(model.expansion, columns, seed=seed),
        far_probes(model.expansion, columns, seed=seed),
    )


def _check_golden(scorer: Scorer, golden: Golden, schema: Schema) -> None:
    """Check that the graph repeats the golden rows, which come from cells.

    Raises:
        SealError: A prediction differs.
    """
    mismatches = check_golden(scorer, golden, schema)
    if mismatches:
        raise SealError(
            f"The ONNX graph differs from the model in {len(mismatches)} golden rows: it predicts "
            f"{mismatches[0].predicted} instead of {mismatches[0].expected}.",
            hint="pip list   # install the versions of the recipe",
        )
