"""Bundles that are built without training: valid, invalid, and with several schemas."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from msgspec import UNSET

from housectl.contract.bundle import Bundle, read_bundle, write_bundle
from housectl.contract.bundle_record import MODEL_FILE, Provenance
from housectl.contract.columns import Expansion
from housectl.contract.families import Family
from housectl.contract.golden import GOLDEN_FILE, Golden, GoldenRow
from housectl.contract.graph.format import encode_graph
from housectl.contract.graph.tree_graph import Branch, TreeGraph
from housectl.contract.history import Action, HistoryEntry
from housectl.contract.metrics import METRICS_FILE, Metrics
from housectl.contract.recipe import Recipe, Split
from housectl.contract.reference import REFERENCE_FILE, Distribution, Reference
from housectl.contract.schema import Exclusion, Feature, Schema, Target
from housectl.store.base import ChampionStore

THRESHOLD = 6.0
STEP = 10.0

HOUSES = Schema(
    features=(
        Feature(
            name="RM", minimum=3.5, maximum=8.8, unit="rooms", description="Rooms of a dwelling."
        ),
        Feature(name="LSTAT", minimum=1.7, maximum=38.0, unit="%"),
    ),
    target=Target(name="MEDV", unit="thousand dollars", response_key="predicted_price"),
    exclusions=(Exclusion(name="B", reason="it encodes race"),),
)
FLOWERS = Schema(
    features=(Feature(name="petal length (cm)", minimum=1.0, maximum=7.0, unit="cm"),),
    target=Target(name="width", unit="cm", response_key="petal width"),
)
NO_FILES: Mapping[str, bytes] = MappingProxyType({})
REFERENCE = Reference(
    rows=100,
    features={
        "RM": Distribution(edges=(5.0, 6.0, 7.0), counts=(25, 25, 25, 25)),
        "LSTAT": Distribution(edges=(5.0, 10.0), counts=(30, 40, 25), missing=5),
    },
    target=Distribution(edges=(10.0, 20.0, 30.0), counts=(10, 40, 40, 10)),
    target_range=(5.0, 50.0),
)
POISON = b"cos\nsystem\n(S'touch poisoned'\ntR."


def expected(base: float, first: float) -> float:
    """Return the prediction of the model of `base` for a row that starts with `first`."""
    return base if first <= THRESHOLD else base + STEP


def make_bundle(
    parent: Path,
    *,
    base: float = 20.0,
    schema: Schema = HOUSES,
    model: bytes | None = None,
    golden_error: float = 0.0,
    reference: Reference | None = None,
) -> Bundle:
    """Make a bundle of one tree, which predicts `base`, or `base` + 10 above the threshold.

    Args:
        model: Graph that replaces the tree.
        golden_error: Error of the golden predictions; 0 in a valid bundle.
        reference: Distributions of the training rows.
    """
    return seal_files(
        parent / f"bundle-{base}-{len(schema.features)}-{golden_error}",
        schema=schema,
        model=model or tree(base, features=len(schema.features)),
        golden_rows=golden(schema, base, golden_error),
        reference=reference,
    )


def seal_files(
    directory: Path,
    *,
    schema: Schema,
    model: bytes,
    golden_rows: Golden,
    reference: Reference | None = None,
    others: Mapping[str, bytes] = NO_FILES,
) -> Bundle:
    """Write the files of a bundle to a new directory, and read them."""
    directory.mkdir(parents=True)
    files = {
        MODEL_FILE: model,
        Family.RANDOM_FOREST.definition.native_file: POISON,
        METRICS_FILE: Metrics(mse=9.5, fold_mses=(9.0, 10.0), holdout_mse=9.0).to_json(),
        GOLDEN_FILE: golden_rows.to_json(),
        **others,
    }
    if reference is not None:
        files[REFERENCE_FILE] = reference.to_json()
    recipe = Recipe(
        family=Family.RANDOM_FOREST,
        assignment={"n_estimators": 1},
        data="0" * 64,
        features=schema.feature_names,
        target=schema.target.name,
        split=Split(),
        seed=1,
        libraries={},
        columns=schema.column_types or UNSET,
    )
    provenance = Provenance(python="3.11", platform="test", sealed_at="2025-01-01T00:00:00")
    write_bundle(directory, files, schema=schema, recipe=recipe, provenance=provenance)
    return read_bundle(directory)


def golden(schema: Schema, base: float, error: float) -> Golden:
    firsts = (4.0, THRESHOLD, 6.5, 9.5)
    others = [1.0] * (len(schema.features) - 1)
    rows = tuple(
        GoldenRow(row=(first, *others), prediction=expected(base, first) + error)
        for first in firsts
    )
    return Golden(tolerance=1e-9, features=schema.feature_names, rows=rows)


def tree(base: float, *, features: int) -> bytes:
    """Return a graph that compares the first feature with the threshold."""
    return encode_graph(
        TreeGraph(
            columns=features,
            roots=np.array([0]),
            features=np.array([0]),
            thresholds=np.array([THRESHOLD]),
            missing_at_most=np.array([False]),
            at_most=Branch(children=np.array([0]), are_leaves=np.array([True])),
            above=Branch(children=np.array([1]), are_leaves=np.array([True])),
            weights=np.array([base, base + STEP]),
        ),
        expansion=Expansion.plain(features),
    )


def promote(
    store: ChampionStore,
    bundle: Bundle,
    *,
    action: Action = Action.PROMOTION,
    override: str | None = None,
) -> HistoryEntry:
    """Make a bundle the champion, as the command line does."""
    store.add_bundle(bundle)
    stored = store.bundle(bundle.digest)
    history = store.read_history()
    return store.commit(stored, action=action, reason="a test", history=history, override=override)


def alter(bundle: Path) -> None:
    """Change one byte of the graph of a bundle."""
    path = bundle / MODEL_FILE
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
