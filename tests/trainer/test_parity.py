from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from housectl.contract.families import Family
from housectl.contract.inputs import Inputs
from housectl.contract.parameters import Value
from housectl.contract.scorer import Scorer
from housectl.errors import SealError
from housectl_trainer.data import Dataset, load_dataset
from housectl_trainer.fitting import FittedModel, fit, make_recipe
from housectl_trainer.sealing.onnx_export import to_onnx
from housectl_trainer.sealing.parity import (
    MAX_PROBES,
    MIN_PROBES,
    Tolerance,
    check_parity,
    far_probes,
    routing_probes,
    threshold_probes,
)
from housectl_trainer.subset import Floats
from housectl_trainer.trees import Ensemble, SplitComparison, Tree
from tests.trainer.small_assignments import SMALL_ASSIGNMENTS, TREE_FAMILIES

SINGLE_LEAVES = [
    (Family.RANDOM_FOREST, {"n_estimators": 3, "min_samples_leaf": 1000}),
    (Family.XGBOOST, {"n_estimators": 3, "gamma": 1e9}),
]
SHAPES = [
    (Family.RANDOM_FOREST, {"n_estimators": 20, "max_features": 0.4}),
    (Family.RANDOM_FOREST, {"n_estimators": 5, "max_leaf_nodes": 2}),
    (Family.RANDOM_FOREST, {"n_estimators": 4, "criterion": "absolute_error"}),
    (Family.XGBOOST, {"n_estimators": 50, "learning_rate": 0.1, "subsample": 0.8}),
    (Family.XGBOOST, {"n_estimators": 30, "gamma": 3.0}),
    (Family.XGBOOST, {"n_estimators": 6, "num_parallel_tree": 4, "subsample": 0.5}),
    (Family.XGBOOST, {"n_estimators": 5, "max_depth": 0, "grow_policy": "lossguide"}),
    (Family.XGBOOST, {"n_estimators": 5, "tree_method": "exact", "reg_alpha": 2.0}),
    (Family.XGBOOST, {"n_estimators": 9, "tree_method": "exact", "gamma": 3.0}),
    (Family.XGBOOST, {"n_estimators": 1, "max_depth": 1}),
    (Family.LINEAR, {"alpha": 1e-6}),
    (Family.LINEAR, {"alpha": 10.0}),
]


def train(dataset: Dataset, family: Family, assignment: Mapping[str, Value]) -> FittedModel:
    return fit(make_recipe(dataset.shared, family, assignment), dataset.training)


def tolerance_of(dataset: Dataset, family: Family, model: FittedModel) -> Tolerance:
    bound = family.definition.parity_bound
    return Tolerance.for_model(model.scale, dataset.training.targets, bound=bound)


def checked_rows(dataset: Dataset, model: FittedModel) -> Floats:
    rows = dataset.all_rows
    return np.concatenate(
        [
            rows,
            threshold_probes(model.thresholds(), rows, seed=0),
            routing_probes(model.expansion, rows, seed=0),
            far_probes(model.expansion, rows, seed=0),
        ]
    )


def assert_parity(
    dataset: Dataset, family: Family, model: FittedModel, ensemble: Ensemble | None = None
) -> None:
    """Check the graph of the model, or of other trees instead of the model's."""
    body = ensemble or model.model.body()
    graph = to_onnx(body, expansion=model.expansion, scale=model.scale).content
    scorer = Scorer(graph, schema=dataset.shared.schema)
    tolerance = tolerance_of(dataset, family, model)
    check_parity(scorer, model.predict, checked_rows(dataset, model), tolerance=tolerance)


@pytest.mark.parametrize(("family", "assignment"), SHAPES + SINGLE_LEAVES)
def test_graph_gives_the_models_predictions(
    boston_dataset: Dataset, family: Family, assignment: dict[str, Value]
) -> None:
    model = train(boston_dataset, family, assignment)
    assert_parity(boston_dataset, family, model)


@pytest.mark.parametrize("family", Family)
def test_library_defaults_and_hand_tuned_recipe_keep_parity(
    boston_dataset: Dataset, family: Family
) -> None:
    for assignment in family.definition.starting_points:
        model = train(boston_dataset, family, assignment)
        assert_parity(boston_dataset, family, model)


@pytest.mark.parametrize("family", Family)
def test_target_around_zero_keeps_the_tolerance(centred: Inputs, family: Family) -> None:
    dataset = load_dataset(centred)
    model = train(dataset, family, SMALL_ASSIGNMENTS[family])
    assert dataset.training.targets.min() < 0 < dataset.training.targets.max()
    assert_parity(dataset, family, model)


def test_three_hundred_trees_keep_parity(boston_dataset: Dataset) -> None:
    family = Family.RANDOM_FOREST
    model = train(boston_dataset, family, {"n_estimators": 300, "max_features": 1 / 3})
    assert_parity(boston_dataset, family, model)


def with_swapped_comparison(ensemble: Ensemble) -> Ensemble:
    swapped = {
        SplitComparison.LESS_EQUAL: SplitComparison.LESS,
        SplitComparison.LESS: SplitComparison.LESS_EQUAL,
    }
    return replace(ensemble, comparison=swapped[ensemble.comparison])


def with_float32_thresholds(ensemble: Ensemble) -> Ensemble:
    trees = tuple(
        replace(tree, thresholds=tree.thresholds.astype(np.float32).astype(np.float64))
        for tree in ensemble.trees
    )
    return replace(ensemble, trees=trees)


def with_changed_offset(ensemble: Ensemble) -> Ensemble:
    return replace(ensemble, offset=ensemble.offset + 0.01)


@pytest.mark.parametrize(
    ("family", "damage"),
    [
        (Family.RANDOM_FOREST, with_swapped_comparison),
        (Family.RANDOM_FOREST, with_float32_thresholds),
        (Family.RANDOM_FOREST, with_changed_offset),
        (Family.XGBOOST, with_swapped_comparison),
        (Family.XGBOOST, with_changed_offset),
    ],
)
def test_graph_with_with_swapped_comparisons_or_sums_is_rejected(
    boston_dataset: Dataset, family: Family, damage: Callable[[Ensemble], Ensemble]
) -> None:
    model = train(boston_dataset, family, {"n_estimators": 20})
    with pytest.raises(SealError, match=r"for the columns \[.*\]"):
        assert_parity(boston_dataset, family, model, damage(model.model.body()))


def predict_in_double(ensemble: Ensemble, rows: Floats) -> Floats:
    """Evaluate the trees in NumPy with comparisons in double."""
    compare = {SplitComparison.LESS_EQUAL: np.less_equal, SplitComparison.LESS: np.less}[
        ensemble.comparison
    ]
    total = np.full(len(rows), ensemble.offset)
    for tree in ensemble.trees:
        nodes = np.zeros(len(rows), dtype=int)
        while (is_split := tree.is_split[nodes]).any():
            values = rows[np.arange(len(rows)), tree.features[nodes]]
            left = compare(values, tree.thresholds[nodes])
            child = np.where(left, tree.left[nodes], tree.right[nodes])
            nodes = np.where(is_split, child, nodes)
        total += tree.weights[nodes]
    return total


@pytest.mark.parametrize("family", TREE_FAMILIES)
def test_rows_without_rounding_to_float32_reach_other_leaves(
    boston_dataset: Dataset, family: Family
) -> None:
    model = train(boston_dataset, family, {"n_estimators": 20})
    ensemble = model.model.body()
    rows = checked_rows(boston_dataset, model)
    rounded = rows.astype(np.float32).astype(np.float64)
    expected = model.model.predict(rows)
    tolerance = family.definition.parity_bound
    assert np.abs(predict_in_double(ensemble, rounded) - expected).max() <= tolerance
    assert np.abs(predict_in_double(ensemble, rows) - expected).max() > tolerance


def stumps(thresholds: Floats) -> Ensemble:
    """Return one tree for each threshold of the first feature."""
    trees = tuple(
        Tree(
            left=np.array([1, -1, -1]),
            right=np.array([2, -1, -1]),
            features=np.array([0, -1, -1]),
            thresholds=np.array([threshold, 0.0, 0.0]),
            missing_left=np.zeros(3, dtype=np.bool_),
            weights=np.array([0.0, 1.0, 2.0]),
            rows=np.array([2, 1, 1]),
        )
        for threshold in thresholds
    )
    return Ensemble(trees=trees, comparison=SplitComparison.LESS_EQUAL, offset=0.0)


def test_few_thresholds_are_probed_in_many_rows(boston_dataset: Dataset) -> None:
    rows = boston_dataset.training.rows
    probe_rows = threshold_probes(stumps(np.array([0.1])).thresholds(), rows, seed=0)
    assert len(probe_rows) >= MIN_PROBES
    single = np.float32(0.1)
    assert set(probe_rows[:, 0].tolist()) == {
        0.1,
        float(np.nextafter(single, np.float32(-1))),
        float(np.nextafter(single, np.float32(1))),
    }
    other_values = {tuple(row) for row in probe_rows[probe_rows[:, 0] == 0.1][:, 1:].tolist()}
    assert len(other_values) > len(rows) // 2


def test_many_thresholds_are_sampled_reproducibly(boston_dataset: Dataset) -> None:
    rows = boston_dataset.training.rows
    thresholds = stumps(np.linspace(0.0, 1.0, MAX_PROBES // 3 + 100)).thresholds()
    probe_rows = threshold_probes(thresholds, rows, seed=0)
    assert len(probe_rows) == MAX_PROBES
    assert np.array_equal(probe_rows, threshold_probes(thresholds, rows, seed=0))
    assert not np.array_equal(probe_rows, threshold_probes(thresholds, rows, seed=1))
