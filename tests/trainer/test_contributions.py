"""Contributions of features to predictions, against independent computations."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import xgboost

from housectl.contract.contributions import ContributionScale, Explainer
from housectl.contract.families import Family
from housectl.contract.graph.format import decode_graph
from housectl.contract.graph.tree_graph import TreeGraph
from housectl.contract.leaf_rows import decode_leaf_rows, encode_leaf_rows
from housectl.contract.parameters import Value
from housectl.contract.schema import Transform
from housectl.contract.scorer import Scorer
from housectl.errors import BundleError
from housectl_trainer.data import Dataset
from housectl_trainer.fitting import FittedModel, fit, make_recipe
from housectl_trainer.sealing.onnx_export import to_onnx
from housectl_trainer.subset import Floats
from tests.trainer.mixed_data import mixed_dataset
from tests.trainer.small_assignments import SMALL_ASSIGNMENTS, TREE_FAMILIES

DATASETS = {
    "plain": mixed_dataset(),
    "logarithm": mixed_dataset(transform=Transform.LOG),
}


@dataclass(frozen=True)
class Explained:
    """A model, its graph and the contributions to the predictions of all rows."""

    model: FittedModel
    content: bytes
    leaf_rows: bytes | None
    explainer: Explainer
    predictions: Floats
    contributions: Floats


def explain(
    dataset: Dataset, family: Family, assignment: dict[str, Value] | None = None
) -> Explained:
    schema = dataset.shared.schema
    recipe = make_recipe(dataset.shared, family, assignment or {**SMALL_ASSIGNMENTS[family]})
    model = fit(recipe, dataset.training)
    export = to_onnx(model.body, expansion=model.expansion, scale=model.scale)
    leaf_rows = None if export.leaf_rows is None else encode_leaf_rows(export.leaf_rows)
    explainer = Explainer(export.content, schema=schema, leaf_rows=leaf_rows)
    return Explained(
        model=model,
        content=export.content,
        leaf_rows=leaf_rows,
        explainer=explainer,
        predictions=np.array(Scorer(export.content, schema=schema).predict(dataset.values)),
        contributions=explainer.contributions(dataset.values),
    )


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("family", Family)
def test_contributions_add_up_to_the_prediction(name: str, family: Family) -> None:
    dataset = DATASETS[name]
    explained = explain(dataset, family)
    assert explained.contributions.shape == dataset.values.shape
    total = explained.explainer.baseline + explained.contributions.sum(axis=1)
    expected = explained.predictions
    if explained.explainer.scale is ContributionScale.LOG:
        expected = np.log(expected)
    assert np.abs(total - expected).max() <= 1e-12 * np.abs(expected).max()
    assert (np.abs(explained.contributions).max(axis=0) > 0).any()


@pytest.mark.parametrize("name", DATASETS)
def test_contributions_of_xgboost_are_those_of_the_library(name: str) -> None:
    dataset = DATASETS[name]
    explained = explain(dataset, Family.XGBOOST)
    model = explained.model
    booster = model.model.booster  # type: ignore[attr-defined]
    expanded = model.expansion.expand(dataset.all_rows)
    of_columns = booster.predict(
        xgboost.DMatrix(expanded), pred_contribs=True, approx_contribs=True
    )
    # The columns of the mixed data: numbers and dates, then the codes of town, heating and class.
    groups = [0, 1, 2, 6, 6, 6, 6, 3, 3, 3, 3, 4, 4, 4, 5, 5, 5]
    expected = np.zeros_like(explained.contributions)
    for column, group in enumerate(groups):
        expected[:, group] += of_columns[:, column]
    expected *= model.scale.deviation
    assert len(groups) == expanded.shape[1]
    tolerance = 2e-5 * model.scale.deviation
    assert np.abs(explained.contributions - expected).max() <= tolerance
    offset = 3.0 * model.scale.deviation
    baseline = float(of_columns[0, -1]) * model.scale.deviation - offset + model.scale.centre
    assert explained.explainer.baseline == pytest.approx(baseline, abs=tolerance)


def walked(graph: TreeGraph, leaf_rows: Floats, row: Floats) -> tuple[float, Floats]:
    """Return baseline and contributions of columns, by recursion in Python."""

    def child(split: int, side: int) -> tuple[bool, int]:
        branch = graph.branches[side]
        return bool(branch.are_leaves[split]), int(branch.children[split])

    def mean_and_rows(*, is_leaf: bool, node: int) -> tuple[float, float]:
        if is_leaf:
            return float(graph.weights[node]), float(leaf_rows[node])
        parts = [
            mean_and_rows(is_leaf=leaf, node=number)
            for leaf, number in (child(node, side) for side in (0, 1))
        ]
        rows = sum(count for _, count in parts)
        return sum(mean * count for mean, count in parts) / rows, rows

    rounded = row.astype(np.float32).astype(np.float64)
    values = np.concatenate([rounded, -rounded])
    total, contributions = 0.0, np.zeros(graph.columns)
    for root in graph.roots.tolist():
        is_leaf, node = False, root
        before, _ = mean_and_rows(is_leaf=False, node=root)
        total += before
        while not is_leaf:
            split, place = node, int(graph.features[node])
            value = values[place]
            goes_first = (
                graph.missing_at_most[split]
                if math.isnan(value)
                else value <= graph.thresholds[split]
            )
            is_leaf, node = child(split, 0 if goes_first else 1)
            after, _ = mean_and_rows(is_leaf=is_leaf, node=node)
            contributions[place % graph.columns] += after - before
            before = after
    return total, contributions


@pytest.mark.parametrize("family", TREE_FAMILIES)
def test_contributions_are_those_of_a_walk_through_the_trees(
    boston_dataset: Dataset, family: Family
) -> None:
    explained = explain(boston_dataset, family, {"n_estimators": 3, "max_depth": 6})
    schema = boston_dataset.shared.schema
    graph = decode_graph(explained.content, expansion=explained.model.expansion)
    assert isinstance(graph, TreeGraph)
    assert explained.leaf_rows is not None
    leaf_rows = decode_leaf_rows(explained.leaf_rows, leaves=len(graph.weights)).astype(float)
    for number in range(0, len(boston_dataset.values), 25):
        baseline, expected = walked(graph, leaf_rows, boston_dataset.values[number])
        assert explained.explainer.baseline == pytest.approx(baseline, rel=1e-12)
        assert explained.contributions[number] == pytest.approx(expected, abs=1e-10)
    assert len(schema.features) == explained.contributions.shape[1]


@pytest.mark.parametrize("family", TREE_FAMILIES)
def test_each_tree_has_all_of_its_training_rows(boston_dataset: Dataset, family: Family) -> None:
    explained = explain(boston_dataset, family, {"n_estimators": 3})
    graph = decode_graph(explained.content, expansion=explained.model.expansion)
    assert isinstance(graph, TreeGraph)
    assert explained.leaf_rows is not None
    leaf_rows = decode_leaf_rows(explained.leaf_rows, leaves=len(graph.weights))
    starts = graph.roots + np.arange(len(graph.roots))
    sums = np.add.reduceat(leaf_rows, starts).tolist()
    assert sums == [len(boston_dataset.training)] * 3


def test_baseline_of_one_xgboost_tree_is_the_mean_prediction(boston_dataset: Dataset) -> None:
    explained = explain(boston_dataset, Family.XGBOOST, {"n_estimators": 1})
    training = explained.predictions[: len(boston_dataset.training)]
    assert explained.explainer.baseline == pytest.approx(training.mean(), rel=1e-12)


def test_rows_do_not_depend_on_each_other(boston_dataset: Dataset) -> None:
    explained = explain(boston_dataset, Family.RANDOM_FOREST)
    alone = explained.explainer.contributions(boston_dataset.values[5:6])
    assert alone.tolist() == explained.contributions[5:6].tolist()
    assert explained.explainer.contributions(boston_dataset.values[:0]).shape == (0, alone.size)


@pytest.mark.parametrize("damaged", [None, b"", b"0000"])
def test_other_number_of_leaves_is_refused(boston_dataset: Dataset, damaged: bytes | None) -> None:
    explained = explain(boston_dataset, Family.XGBOOST)
    with pytest.raises(BundleError, match=r"have \d bytes instead of"):
        Explainer(explained.content, schema=boston_dataset.shared.schema, leaf_rows=damaged)
