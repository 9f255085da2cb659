"""Bundles that are built without training: valid, invalid, and with several schemas."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from housectl.contract.bundle import (
    MODEL_FILE,
    Bundle,
    Provenance,
    read_bundle,
    write_bundle,
)
from housectl.contract.families import Family
from housectl.contract.golden import GOLDEN_FILE, Golden, GoldenRow
from housectl.contract.history import Action, HistoryEntry
from housectl.contract.metrics import METRICS_FILE, Metrics
from housectl.contract.recipe import Recipe, Split
from housectl.contract.schema import Exclusion, Feature, Schema, Target
from housectl.contract.scorer import INPUT_NAME, OUTPUT_NAME
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
) -> Bundle:
    """Make a bundle of one tree, which predicts `base`, or `base` + 10 above the threshold.

    Args:
        model: Graph that replaces the tree.
        golden_error: Error of the golden predictions; 0 in a valid bundle.
    """
    directory = parent / f"bundle-{base}-{len(schema.features)}-{golden_error}"
    directory.mkdir(parents=True)
    files = {
        MODEL_FILE: model or tree(base, features=len(schema.features)),
        Family.RANDOM_FOREST.definition.native_file: POISON,
        METRICS_FILE: Metrics(mse=9.5, fold_mses=(9.0, 10.0), holdout_mse=9.0).to_json(),
        GOLDEN_FILE: golden(schema, base, golden_error).to_json(),
    }
    recipe = Recipe(
        family=Family.RANDOM_FOREST,
        assignment={"n_estimators": 1},
        data="0" * 64,
        features=schema.feature_names,
        target=schema.target.name,
        split=Split(),
        seed=1,
        libraries={},
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
    node = helper.make_node(
        "TreeEnsemble",
        [INPUT_NAME],
        [OUTPUT_NAME],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function=1,
        tree_roots=[0],
        nodes_featureids=[0],
        nodes_splits=numpy_helper.from_array(np.array([THRESHOLD])),
        nodes_modes=numpy_helper.from_array(np.array([0], dtype=np.uint8)),
        nodes_truenodeids=[0],
        nodes_trueleafs=[1],
        nodes_falsenodeids=[1],
        nodes_falseleafs=[1],
        leaf_targetids=[0, 0],
        leaf_weights=numpy_helper.from_array(np.array([base, base + STEP])),
    )
    return _graph([node], features=features)


def fragile(base: float, *, features: int) -> bytes:
    """Return a graph with the same predictions, which fails for a large first value."""
    table = [base] * (int(THRESHOLD) + 1) + [base + STEP] * 4
    nodes = [
        helper.make_node("Gather", [INPUT_NAME, "first"], ["column"], axis=1),
        helper.make_node("Ceil", ["column"], ["ceiling"]),
        helper.make_node("Cast", ["ceiling"], ["index"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "index"], [OUTPUT_NAME]),
    ]
    constants = {"first": np.array([0]), "table": np.array(table)}
    return _graph(nodes, features=features, constants=constants)


def _graph(
    nodes: list[onnx.NodeProto], *, features: int, constants: dict[str, np.ndarray] | None = None
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.DOUBLE, [None, features])],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.DOUBLE, [None, 1])],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 5)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return bytes(model.SerializeToString())


def promote(
    store: ChampionStore, bundle: Bundle, *, action: Action = Action.PROMOTION
) -> HistoryEntry:
    """Make a bundle the champion, as the command line does."""
    store.add_bundle(bundle)
    champion = store.champion()
    champion_number = champion.number if champion else 0
    stored = store.bundle(bundle.digest)
    return store.commit(stored, action=action, reason="a test", champion_number=champion_number)


def alter(bundle: Path) -> None:
    """Change one byte of the graph of a bundle."""
    path = bundle / MODEL_FILE
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
