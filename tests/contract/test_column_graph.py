"""Graphs with categories, missing values and a logarithm: written, read, and refused if altered."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from housectl.contract.column_types import Boolean, Category, ColumnType, Datetime, Number
from housectl.contract.columns import Expansion
from housectl.contract.graph.format import decode_graph, encode_graph
from housectl.contract.graph.tree_graph import TreeGraph
from housectl.contract.record import MalformedRecordError
from housectl.contract.schema import Feature, Schema, Target, Transform, column_record
from housectl.contract.scorer import Scorer
from housectl.errors import BundleError
from tests.contract.graphs import MISSING, column_model, predict, random_forest

TYPES: tuple[ColumnType, ...] = (Number(nullable=True), Category(levels=("a", "b")), Number())
"""Two numbers and two indicators; the trees of the tests read one more number, a boolean."""

COLUMN_TYPES = (*TYPES, Boolean(nullable=True))
EXPANSION = Expansion.of(COLUMN_TYPES)


def with_missing(graph: TreeGraph, seed: int = 3) -> TreeGraph:
    flags = np.random.default_rng(seed).integers(2, size=len(graph.features)).astype(np.bool_)
    return replace(graph, missing_at_most=flags)


FOREST = with_missing(random_forest(trees=4, splits=6))


def schema(*, log: bool, types: tuple[ColumnType, ...] = COLUMN_TYPES) -> Schema:
    features = tuple(
        Feature(name=f"x{number}", minimum=0, maximum=1, column=column_record(each))
        for number, each in enumerate(types)
    )
    target = Target(name="y", transform=Transform.LOG) if log else Target(name="y")
    return Schema(features=features, target=target)


def encoded(graph: TreeGraph, *, log: bool) -> bytes:
    transform = schema(log=log).target.transform
    return encode_graph(graph, expansion=EXPANSION, transform=transform)


def rows() -> np.ndarray:
    generator = np.random.default_rng(1)
    columns = generator.normal(size=(300, 4))
    columns[:, 1] = generator.integers(-1, 2, 300)
    columns[:, 3] = generator.integers(0, 2, 300)
    columns[generator.random(300) < 0.3, 0] = np.nan
    columns[generator.random(300) < 0.3, 3] = np.nan
    return columns


@pytest.mark.parametrize("log", [False, True])
def test_writer_writes_the_bytes_of_the_onnx_package(*, log: bool) -> None:
    for graph in (FOREST, with_missing(random_forest(trees=50, splits=200))):
        model = column_model(graph, EXPANSION, log=log)
        onnx.checker.check_model(model, full_check=True)
        assert encoded(graph, log=log) == model.SerializeToString(deterministic=True)


@pytest.mark.parametrize("log", [False, True])
def test_reader_returns_the_trees_of_the_writer(*, log: bool) -> None:
    transform = schema(log=log).target.transform
    decoded = decode_graph(encoded(FOREST, log=log), expansion=EXPANSION, transform=transform)
    assert np.array_equal(decoded.missing_at_most, FOREST.missing_at_most)
    assert np.array_equal(decoded.weights, FOREST.weights)


@pytest.mark.parametrize("log", [False, True])
def test_scorer_routes_codes_and_missing_values(*, log: bool) -> None:
    scorer = Scorer(encoded(FOREST, log=log), schema=schema(log=log))
    sums = predict(FOREST, EXPANSION.expand(rows()))
    expected = np.exp(sums) if log else sums
    together = scorer.predict(rows())
    assert np.allclose(together, expected, rtol=1e-11, atol=1e-12)
    assert [scorer.predict([row])[0] for row in rows()] == together


def test_rows_of_categories_alone_are_expanded() -> None:
    types = (Category(levels=("a", "b", "c")), Category(levels=("d",), nullable=True))
    expansion = Expansion.of(types)
    graph = random_forest(trees=4, splits=6)
    model = encode_graph(graph, expansion=expansion)
    codes = np.array(
        [[float(first), float(second)] for first in range(-1, 3) for second in (-1, 0)]
    )
    predictions = Scorer(model, schema=schema(log=False, types=types)).predict_columns(codes)
    assert np.allclose(predictions, predict(graph, expansion.expand(codes)), atol=1e-12)


@pytest.mark.parametrize("weight", [1e4, -1e4, 1e300])
def test_prediction_of_a_logarithm_is_finite(weight: float) -> None:
    graph = replace(FOREST, weights=np.full(len(FOREST.weights), weight))
    predictions = np.array(
        Scorer(encoded(graph, log=True), schema=schema(log=True)).predict(rows())
    )
    assert np.isfinite(predictions).all()
    assert (predictions > 0).all()


def test_graph_without_missing_values_has_no_flags() -> None:
    assert MISSING.encode() not in encoded(random_forest(trees=4, splits=6), log=False)
    assert MISSING.encode() in encoded(FOREST, log=False)


Edit = Callable[[onnx.ModelProto], object]


def set_constant(number: int, value: np.ndarray) -> Edit:
    def edit(model: onnx.ModelProto) -> None:
        model.graph.node[number].attribute[0].t.CopyFrom(numpy_helper.from_array(value))

    return edit


def missing_flags(model: onnx.ModelProto) -> onnx.AttributeProto:
    ensemble = next(each for each in model.graph.node if each.op_type == "TreeEnsemble")
    return next(each for each in ensemble.attribute if each.name == MISSING)


EDITS: dict[str, Edit] = {
    "codes": set_constant(2, np.array([0.0, 2.0])),
    "codes in another order": set_constant(2, np.array([1.0, 0.0])),
    "codes as float": set_constant(2, np.array([0.0, 1.0], dtype=np.float32)),
    "category columns": set_constant(1, np.array([0, 0])),
    "column out of range": set_constant(0, np.array([0, 2, 9])),
    "kept columns": set_constant(0, np.array([2, 0, 3])),
    "fewer kept columns": set_constant(0, np.array([0, 2])),
    "comparison": lambda model: setattr(model.graph.node[5], "op_type", "Greater"),
    "axis": lambda model: setattr(model.graph.node[3].attribute[0], "i", 0),
    "indicator type": lambda model: setattr(model.graph.node[6].attribute[0], "i", 1),
    "expansion removed": lambda model: model.graph.node.pop(0),
    "input of trees": lambda model: model.graph.node[8].input.__setitem__(0, "rows"),
    "flag": lambda model: missing_flags(model).ints.__setitem__(0, 2),
    "fewer flags": lambda model: missing_flags(model).ints.pop(),
    "flags that are all zero": lambda model: missing_flags(model).CopyFrom(
        helper.make_attribute(MISSING, [0] * len(missing_flags(model).ints))
    ),
}
LOG_EDITS: dict[str, Edit] = {
    "clip": set_constant(14, np.array(1e9)),
    "clip as an array": set_constant(14, np.array([170.0])),
    "base": set_constant(15, np.array(2.0)),
    "bounds of the clip": set_constant(13, np.array(-1.0)),
    "exponential": lambda model: setattr(model.graph.node[-1], "op_type", "Mul"),
    "exponential removed": lambda model: model.graph.node.pop(),
    "exponential twice": lambda model: model.graph.node.append(model.graph.node[-1]),
    "clip removed": lambda model: model.graph.node.pop(16),
    "exponential before the clip": lambda model: model.graph.node[-1].input.__setitem__(
        1, "transformed"
    ),
}


@pytest.mark.parametrize(
    ("edit", "log"),
    [(edit, False) for edit in EDITS.values()]
    + [(edit, True) for edit in [*EDITS.values(), *LOG_EDITS.values()]],
    ids=[*EDITS, *(f"log: {name}" for name in [*EDITS, *LOG_EDITS])],
)
def test_altered_graph_is_refused(*, edit: Edit, log: bool) -> None:
    model = column_model(FOREST, EXPANSION, log=log)
    assert Scorer(model.SerializeToString(), schema=schema(log=log))
    edit(model)
    with pytest.raises(BundleError, match=r"model\.onnx is invalid: "):
        Scorer(model.SerializeToString(deterministic=True), schema=schema(log=log))


def test_graph_of_other_columns_is_refused() -> None:
    graphs = {log: encoded(FOREST, log=log) for log in (False, True)}
    others = [
        (*TYPES, Category(levels=("a", "b"))),
        (Number(nullable=True), Category(levels=("a", "b", "c")), Number(), Number()),
        (Number(nullable=True), Number(), Category(levels=("a", "b")), Boolean()),
        (Number(), Datetime()),
        (Number(),) * 5,
    ]
    for types in others:
        with pytest.raises(BundleError):
            Scorer(graphs[False], schema=schema(log=False, types=types))
    for log in (False, True):
        with pytest.raises(BundleError):
            Scorer(graphs[log], schema=schema(log=not log))


def test_empty_graph_of_columns_is_refused() -> None:
    model = column_model(FOREST, EXPANSION, log=True)
    del model.graph.node[5:]
    with pytest.raises(MalformedRecordError):
        decode_graph(model.SerializeToString(), expansion=EXPANSION, transform=Transform.LOG)


def test_columns_of_many_rows_are_expanded_as_those_of_one() -> None:
    few = rows()
    many = np.tile(few, (10_000 // len(few) + 1, 1))
    expanded = EXPANSION.expand(many)
    assert np.array_equal(expanded[-len(few) :], EXPANSION.expand(few), equal_nan=True)
    single = EXPANSION.expand(many, dtype=np.float32)
    assert single.dtype == np.float32
    assert np.array_equal(single, expanded.astype(np.float32), equal_nan=True)
    indices = np.arange(len(many))[::-3]
    chosen = EXPANSION.expand(many, indices=indices, dtype=np.float64)
    assert np.array_equal(chosen, expanded[indices], equal_nan=True)
