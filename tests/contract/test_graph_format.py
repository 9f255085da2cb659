"""The reader accepts the graphs of the writer, and no others."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from housectl.contract.columns import Expansion
from housectl.contract.graph.format import decode_graph, encode_graph
from housectl.contract.graph.protobuf import bytes_field, find_bytes, integer_fields, read_integers
from housectl.contract.graph.tree_graph import MAX_DEPTH, Branch, TreeGraph, check_trees
from housectl.contract.record import MalformedRecordError
from housectl.contract.scorer import Scorer
from housectl.errors import BundleError
from tests.contract.graphs import COLUMNS, chain, number_schema, onnx_model, predict, random_forest
from tests.contract.hostile_models import MODEL_EDITS, ModelEdit

FOREST = random_forest(trees=4, splits=6)
PLAIN = Expansion.plain(COLUMNS)


def encoded(graph: TreeGraph) -> bytes:
    return encode_graph(graph, expansion=PLAIN)


@pytest.mark.parametrize(
    "graph", [FOREST, random_forest(trees=70, splits=300), chain(1), chain(900)]
)
def test_writer_writes_the_bytes_of_the_onnx_package(graph: TreeGraph) -> None:
    model = onnx_model(graph)
    onnx.checker.check_model(model)
    assert encoded(graph) == model.SerializeToString(deterministic=True)


def arrays(graph: TreeGraph) -> list[np.ndarray]:
    branches = [getattr(branch, each.name) for branch in graph.branches for each in fields(Branch)]
    return [
        graph.roots,
        graph.features,
        graph.thresholds,
        graph.missing_at_most,
        graph.weights,
        *branches,
    ]


def test_reader_returns_the_trees_of_the_writer() -> None:
    forest = random_forest(trees=30, splits=150)
    decoded = decode_graph(encoded(forest), expansion=PLAIN)
    assert decoded.columns == COLUMNS
    for actual, expected in zip(arrays(decoded), arrays(forest), strict=True):
        assert np.array_equal(actual, expected)


def test_scorer_predicts_the_sum_of_the_trees() -> None:
    forest = random_forest(trees=30, splits=150)
    rows = np.random.default_rng(1).normal(size=(500, COLUMNS))
    predictions = Scorer(encoded(forest), schema=number_schema(COLUMNS)).predict(rows.tolist())
    assert np.allclose(predictions, predict(forest, rows), rtol=0, atol=1e-12)


def test_deepest_accepted_tree_predicts() -> None:
    graph = chain(MAX_DEPTH)
    scorer = Scorer(encoded(graph), schema=number_schema(COLUMNS))
    assert scorer.predict([[1e9] * COLUMNS, [-1e9] * COLUMNS]) == [1.0, 1.0]


def assert_refused(data: bytes) -> None:
    """Check that a graph is refused, and that onnxruntime does not read it."""

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("onnxruntime reads the graph")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnxruntime, "InferenceSession", fail)
        with pytest.raises(BundleError, match=r"model\.onnx is invalid: "):
            Scorer(data, schema=number_schema(COLUMNS))


def edited(edit: ModelEdit) -> bytes:
    """Return a valid model's bytes after an edit of its protobuf message."""
    model = onnx_model(FOREST)
    assert decode_graph(model.SerializeToString(), expansion=PLAIN)
    edit(model)
    return bytes(model.SerializeToString(deterministic=True))


@pytest.mark.parametrize("name", MODEL_EDITS)
def test_model_with_other_parts_is_refused(name: str) -> None:
    assert_refused(edited(MODEL_EDITS[name]))


def with_value(array: np.ndarray, index: int, value: object) -> np.ndarray:
    changed = array.copy()
    changed[index] = value
    return changed


def branch_edit(**changes: tuple[int, object]) -> TreeGraph:
    arrays = {
        name: with_value(getattr(FOREST.at_most, name), index, value)
        for name, (index, value) in changes.items()
    }
    return replace(FOREST, at_most=replace(FOREST.at_most, **arrays))


def cycle() -> TreeGraph:
    """Return a tree whose second and third split are each other's only parents."""
    return TreeGraph(
        columns=COLUMNS,
        roots=np.array([0]),
        features=np.zeros(3, dtype=np.int64),
        thresholds=np.zeros(3),
        missing_at_most=np.zeros(3, dtype=np.bool_),
        at_most=Branch(children=np.array([0, 2, 1]), are_leaves=np.array([True, False, False])),
        above=Branch(children=np.array([1, 2, 3]), are_leaves=np.array([True, True, True])),
        weights=np.ones(4),
    )


SPLITS, LEAVES = len(FOREST.features), len(FOREST.weights)
FIRST_SPLIT = int(np.flatnonzero(~FOREST.at_most.are_leaves)[0])
FIRST_LEAF, SECOND_LEAF = (int(index) for index in np.flatnonzero(FOREST.at_most.are_leaves)[:2])
TREE_EDITS: dict[str, tuple[TreeGraph, str]] = {
    "shorter features": (replace(FOREST, features=FOREST.features[1:]), "different lengths"),
    "shorter thresholds": (replace(FOREST, thresholds=FOREST.thresholds[1:]), "different lengths"),
    "shorter children": (
        replace(FOREST, above=replace(FOREST.above, children=FOREST.above.children[1:])),
        "different lengths",
    ),
    "shorter flags": (
        replace(FOREST, above=replace(FOREST.above, are_leaves=FOREST.above.are_leaves[1:])),
        "different lengths",
    ),
    "shorter weights": (replace(FOREST, weights=FOREST.weights[1:]), "number of leaves"),
    "no tree": (replace(FOREST, roots=FOREST.roots[:0]), "number of leaves"),
    "fewer trees": (replace(FOREST, roots=FOREST.roots[1:]), "number of leaves"),
    "same root twice": (replace(FOREST, roots=with_value(FOREST.roots, 1, 0)), "overlap"),
    "roots in another order": (replace(FOREST, roots=FOREST.roots[::-1]), "overlap"),
    "root out of range": (replace(FOREST, roots=with_value(FOREST.roots, -1, SPLITS)), "overlap"),
    "other root": (
        replace(FOREST, roots=with_value(FOREST.roots, 1, FOREST.roots[1] + 1)),
        "share a node",
    ),
    "unknown feature": (
        replace(FOREST, features=with_value(FOREST.features, 0, 2 * COLUMNS)),
        "feature is unknown",
    ),
    "unknown split": (branch_edit(children=(FIRST_SPLIT, SPLITS)), "does not exist"),
    "unknown leaf": (branch_edit(children=(FIRST_LEAF, LEAVES)), "does not exist"),
    "split reached twice": (branch_edit(children=(FIRST_SPLIT, 0)), "exactly once"),
    "leaf reached twice": (
        branch_edit(children=(FIRST_LEAF, FOREST.at_most.children[SECOND_LEAF])),
        "exactly once",
    ),
    "leaf of another tree": (branch_edit(children=(FIRST_LEAF, LEAVES - 1)), "share a node"),
    "split of another tree": (branch_edit(children=(FIRST_SPLIT, SPLITS - 1)), "share a node"),
    "cycle": (cycle(), "cycle"),
    "deep tree": (chain(MAX_DEPTH + 1), f"more than {MAX_DEPTH} levels"),
    "NaN threshold": (
        replace(FOREST, thresholds=with_value(FOREST.thresholds, 1, math.nan)),
        "threshold is not finite",
    ),
    "infinite threshold": (
        replace(FOREST, thresholds=with_value(FOREST.thresholds, 1, -math.inf)),
        "threshold is not finite",
    ),
    "NaN weight": (
        replace(FOREST, weights=with_value(FOREST.weights, 1, math.nan)),
        "leaf weights is not finite",
    ),
    "infinite weight": (
        replace(FOREST, weights=with_value(FOREST.weights, 1, -math.inf)),
        "leaf weights is not finite",
    ),
    "infinite sum": (replace(FOREST, weights=np.full(LEAVES, 1e308)), "leaf weights is not finite"),
}


@pytest.mark.parametrize("name", TREE_EDITS)
def test_graph_with_invalid_trees_is_refused(name: str) -> None:
    graph, problem = TREE_EDITS[name]
    with pytest.raises(MalformedRecordError, match=problem):
        check_trees(graph)
    assert_refused(encoded(graph))


def test_sum_of_the_trees_largest_weights_may_be_finite_where_the_sum_of_all_is_not() -> None:
    scorer = Scorer(
        encoded(replace(FOREST, weights=np.full(LEAVES, 1e307))), schema=number_schema(COLUMNS)
    )
    assert scorer.predict([[0.0] * COLUMNS]) == [4e307]


def test_every_truncated_graph_is_refused() -> None:
    data = encoded(FOREST)
    for size in range(len(data)):
        assert_refused(data[:size])


def test_every_appended_or_repeated_field_is_refused() -> None:
    data = encoded(FOREST)
    [graph] = find_bytes(memoryview(data), 7)
    for suffix in (b"\0", b"\x08\x09", b"".join(bytes_field(15, b"unknown")), data, bytes(graph)):
        assert_refused(data + suffix)
    assert_refused(data + b"".join(bytes_field(7, bytes(graph))))


def test_integer_with_more_digits_than_necessary_is_refused() -> None:
    data = encoded(FOREST)
    assert data.count(b"\x08\x09\x12") == 1
    assert_refused(data.replace(b"\x08\x09\x12", b"\x08\x89\x00\x12"))


@pytest.mark.slow
def test_every_changed_bit_is_refused_or_changes_only_numbers() -> None:
    data = encoded(random_forest(trees=2, splits=3))
    for position, bit in itertools.product(range(len(data)), range(8)):
        changed = bytearray(data)
        changed[position] ^= 1 << bit
        try:
            graph = decode_graph(bytes(changed), expansion=PLAIN)
        except MalformedRecordError:
            continue
        assert encoded(graph) == changed


def test_cost_of_a_message_of_many_fields_is_limited() -> None:
    message = memoryview(b"\x08\x00" * 10_000_000)
    with pytest.raises(MalformedRecordError, match="more than 64 fields"):
        find_bytes(message, 7)


def test_long_list_is_refused_before_it_is_read() -> None:
    fields = memoryview(integer_fields(8, np.zeros(1000, dtype=np.int64)))
    with pytest.raises(MalformedRecordError, match="too long"):
        read_integers(fields, size=100)


@pytest.mark.parametrize("values", [[], [0], [127, 128], [16383, 16384, 2**21, 2**28 - 1, 0]])
def test_integers_survive_a_round_trip(values: Sequence[int]) -> None:
    array = np.array(values, dtype=np.int64)
    data = integer_fields(8, array)
    assert read_integers(memoryview(data), size=len(values)).tolist() == list(values)
    assert (
        data
        == helper.make_attribute("", list(values) or [0]).SerializeToString()[2:-3][: len(data)]
    )
