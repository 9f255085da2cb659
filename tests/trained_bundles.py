"""Bundles of trained models with every kind of column, sealed without evidence."""

from pathlib import Path

from housectl.contract.bundle import Bundle
from housectl.contract.families import Family
from housectl.contract.golden import GoldenSource
from housectl.contract.leaf_rows import LEAF_ROWS_FILE, encode_leaf_rows
from housectl.contract.reference import REFERENCE_FILE
from housectl_trainer.data import Dataset
from housectl_trainer.fitting import fit, make_recipe
from housectl_trainer.sealing.reference import make_reference
from housectl_trainer.sealing.seal import checked_graph
from tests.server.bundles import seal_files
from tests.trainer.small_assignments import SMALL_ASSIGNMENTS


def trained_bundle(
    directory: Path, dataset: Dataset, *, family: Family = Family.RANDOM_FOREST
) -> Bundle:
    """Train a small model, and write its bundle with reference and rows of the leaves."""
    recipe = make_recipe(dataset.shared, family, SMALL_ASSIGNMENTS[family])
    model = fit(recipe, dataset.training)
    graph = checked_graph(model, recipe, dataset, GoldenSource.DATA)
    leaf_rows = graph.leaf_rows
    return seal_files(
        directory,
        schema=dataset.shared.schema,
        model=graph.content,
        golden_rows=graph.golden,
        others={
            REFERENCE_FILE: make_reference(dataset, GoldenSource.DATA).to_json(),
            **({} if leaf_rows is None else {LEAF_ROWS_FILE: encode_leaf_rows(leaf_rows)}),
        },
    )
