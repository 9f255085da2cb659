"""Linear graphs: exact predictions, and graphs that are refused."""

import math
from dataclasses import fields, replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from housectl.contract.column_types import Category, Number
from housectl.contract.columns import Expansion
from housectl.contract.graph.format import decode_graph, encode_graph
from housectl.contract.graph.linear_graph import LinearGraph, check_linear
from housectl.contract.graph.onnx_fields import INPUT_NAME, OUTPUT_NAME
from housectl.contract.record import MalformedRecordError
from housectl.contract.schema import FLOAT32_MAXIMUM, Feature, Schema, Target
from housectl.contract.scorer import Scorer
from housectl.errors import BundleError

COLUMNS = 5
EXPANSION = Expansion.of([Number()] * COLUMNS)


def random_graph(columns: int = COLUMNS, *, seed: int = 0) -> LinearGraph:
    generator = np.random.default_rng(seed)
    centres, weights, missing = generator.normal(size=(3, columns))
    return LinearGraph(
        centres=centres,
        weights=weights,
        missing=missing,
        intercept=0.3,
        target_deviation=9.7,
        target_centre=-4.1,
    )


GRAPH = random_graph()


def nullable_schema(columns: int) -> Schema:
    return Schema(
        features=tuple(
            Feature(name=f"x{number}", minimum=0, maximum=1, column=Number(nullable=True))
            for number in range(columns)
        ),
        target=Target(name="y"),
    )


def predict(graph: LinearGraph, rows: np.ndarray) -> np.ndarray:
    """Add the terms in NumPy, from the first column to the last."""
    total = np.zeros(len(rows))
    for index in range(graph.columns):
        values = rows[:, index]
        products = (values - graph.centres[index]) * graph.weights[index]
        total = total + np.where(np.isnan(values), graph.missing[index], products)
    return (total + graph.intercept) * graph.target_deviation + graph.target_centre


def onnx_model(graph: LinearGraph) -> onnx.ModelProto:
    """Return the graph, built with the onnx package."""
    constants = {
        "centres": graph.centres,
        "weights": graph.weights,
        "missing": graph.missing,
        "intercept": np.array([graph.intercept]),
        "target_deviation": np.array([graph.target_deviation]),
        "target_centre": np.array([graph.target_centre]),
        "axis": np.array(1),
        "last": np.array([graph.columns - 1]),
    }
    nodes = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(values))
        for name, values in constants.items()
    ]
    nodes += [
        helper.make_node("Sub", [INPUT_NAME, "centres"], ["distances"]),
        helper.make_node("Mul", ["distances", "weights"], ["products"]),
        helper.make_node("IsNaN", [INPUT_NAME], ["gaps"]),
        helper.make_node("Where", ["gaps", "missing", "products"], ["terms"]),
        helper.make_node("CumSum", ["terms", "axis"], ["sums"]),
        helper.make_node("Gather", ["sums", "last"], ["sum"], axis=1),
        helper.make_node("Add", ["sum", "intercept"], ["standardised"]),
        helper.make_node("Mul", ["standardised", "target_deviation"], ["deviation"]),
        helper.make_node("Add", ["deviation", "target_centre"], [OUTPUT_NAME]),
    ]
    onnx_graph = helper.make_graph(
        nodes,
        "housectl",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.DOUBLE, [None, graph.columns])],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.DOUBLE, [None, 1])],
    )
    return helper.make_model(
        onnx_graph,
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 5)],
        producer_name="housectl",
        ir_version=9,
    )


@pytest.mark.parametrize("columns", [1, 2, 60])
def test_writer_writes_the_bytes_of_the_onnx_package(columns: int) -> None:
    graph = random_graph(columns)
    model = onnx_model(graph)
    onnx.checker.check_model(model)
    written = encode_graph(graph, expansion=Expansion.of([Number()] * columns))
    assert written == model.SerializeToString(deterministic=True)


@pytest.mark.parametrize("columns", [1, 3, 13, 200])
def test_scorer_predicts_the_same_bits_for_a_row_alone_and_among_others(columns: int) -> None:
    graph = random_graph(columns, seed=columns)
    generator = np.random.default_rng(1)
    rows = generator.normal(size=(300, columns)) * 10.0 ** generator.integers(-9, 9, size=columns)
    rows[generator.random(rows.shape) < 0.2] = math.nan
    data = encode_graph(graph, expansion=Expansion.of([Number(nullable=True)] * columns))
    scorer = Scorer(data, schema=nullable_schema(columns))
    predictions = scorer.predict(rows)
    assert predictions == predict(graph, rows).tolist()
    assert predictions == [scorer.predict([row])[0] for row in rows]


def test_levels_are_columns_of_their_own() -> None:
    category = Category(levels=("a", "b"), nullable=True)
    features = (
        Feature(name="kind", minimum=0, maximum=1, column=category),
        Feature(name="x", minimum=0, maximum=1),
    )
    graph = LinearGraph(
        centres=np.zeros(4),
        weights=np.array([1.0, 10.0, 20.0, 30.0]),
        missing=np.zeros(4),
        intercept=100.0,
    )
    data = encode_graph(graph, expansion=Expansion.of([each.type for each in features]))
    scorer = Scorer(data, schema=Schema(features=features, target=Target(name="y")))
    assert scorer.predict([[0, 0.5], [1, 0.5], [math.nan, 0.5]]) == [110.5, 120.5, 130.5]


def test_farthest_accepted_row_gets_a_finite_prediction() -> None:
    graph = replace(GRAPH, weights=np.full(COLUMNS, 5e267))
    check_linear(graph)
    scorer = Scorer(encode_graph(graph, expansion=EXPANSION), schema=nullable_schema(COLUMNS))
    assert math.isfinite(scorer.predict([[FLOAT32_MAXIMUM] * COLUMNS])[0])


def test_reader_returns_the_graph_of_the_writer() -> None:
    decoded = decode_graph(encode_graph(GRAPH, expansion=EXPANSION), expansion=EXPANSION)
    assert isinstance(decoded, LinearGraph)
    for each in fields(LinearGraph):
        assert np.array_equal(getattr(decoded, each.name), getattr(GRAPH, each.name))


def with_value(array: np.ndarray, value: float) -> np.ndarray:
    return np.array([value, *array[1:]])


INVALID: dict[str, tuple[LinearGraph, str]] = {
    "shorter weights": (replace(GRAPH, weights=GRAPH.weights[1:]), "different lengths"),
    "shorter missing": (replace(GRAPH, missing=GRAPH.missing[1:]), "different lengths"),
    "no column": (
        LinearGraph(**dict.fromkeys(("centres", "weights", "missing"), np.zeros(0)), intercept=0.0),
        "no column",
    ),
    "NaN centre": (replace(GRAPH, centres=with_value(GRAPH.centres, math.nan)), "not finite"),
    "infinite centre": (replace(GRAPH, centres=with_value(GRAPH.centres, math.inf)), "not finite"),
    "NaN weight": (replace(GRAPH, weights=with_value(GRAPH.weights, math.nan)), "not finite"),
    "large weight": (replace(GRAPH, weights=with_value(GRAPH.weights, 1e270)), "not finite"),
    "infinite missing": (
        replace(GRAPH, missing=with_value(GRAPH.missing, -math.inf)),
        "not finite",
    ),
    "infinite sum": (replace(GRAPH, missing=np.full(COLUMNS, 3e307)), "not finite"),
    "NaN intercept": (replace(GRAPH, intercept=math.nan), "not finite"),
    "infinite deviation": (replace(GRAPH, target_deviation=math.inf), "not finite"),
    "large deviation": (replace(GRAPH, target_deviation=1e270), "prediction is not finite"),
    "NaN target centre": (replace(GRAPH, target_centre=math.nan), "prediction is not finite"),
    "infinite intercept": (replace(GRAPH, intercept=math.inf), "not finite"),
}


@pytest.mark.parametrize("name", INVALID)
def test_graph_with_invalid_numbers_is_refused(name: str) -> None:
    graph, problem = INVALID[name]
    with pytest.raises(MalformedRecordError, match=problem):
        check_linear(graph)
    with pytest.raises(BundleError, match=r"model\.onnx is invalid: "):
        Scorer(encode_graph(graph, expansion=EXPANSION), schema=nullable_schema(COLUMNS))


def test_graph_of_other_columns_is_refused() -> None:
    for columns in (COLUMNS - 1, COLUMNS + 1):
        data = encode_graph(random_graph(columns), expansion=EXPANSION)
        with pytest.raises(MalformedRecordError, match=f"no linear model of {COLUMNS} columns"):
            decode_graph(data, expansion=EXPANSION)


def test_every_truncated_graph_is_refused() -> None:
    data = encode_graph(GRAPH, expansion=EXPANSION)
    for size in range(len(data)):
        with pytest.raises(MalformedRecordError):
            decode_graph(data[:size], expansion=EXPANSION)


def test_changed_bit_is_refused_or_changes_only_numbers() -> None:
    expansion = Expansion.of([Number()] * 2)
    data = encode_graph(random_graph(2), expansion=expansion)
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1 << position % 8
        try:
            graph = decode_graph(bytes(changed), expansion=expansion)
        except MalformedRecordError:
            continue
        assert encode_graph(graph, expansion=expansion) == changed
