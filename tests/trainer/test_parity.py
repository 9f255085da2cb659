from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from housectl.contract.families import Family
from housectl.contract.inputs import Inputs
from housectl.contract.parameters import Value
from housectl.contract.scorer import Scorer
from housectl.errors import SealError
from housectl_trainer.data import Dataset, load
from housectl_trainer.evaluation import standard_deviation
from housectl_trainer.fitting import fit, make_recipe
from housectl_trainer.model_family import Model, load_family
from housectl_trainer.onnx_export import to_onnx
from housectl_trainer.parity import FEWEST_PROBES, MOST_PROBES, check_parity, probes
from housectl_trainer.subset import Floats
from housectl_trainer.trees import Ensemble, SplitComparison, Tree

SINGLE_LEAVES = [
    (Family.RANDOM_FOREST, {"n_estimators": 3, "min_samples_leaf": 1000}),
    (Family.XGBOOST, {"n_estimators": 3, "gamma": 1e9}),
]
SHAPES = [
    (Family.RANDOM_FOREST, {"n_estimators": 20, "max_features": 0.4}),
    (Family.RANDOM_FOREST, {"n_estimators": 5, "max_leaf_nodes": 2}),
    (Family.RANDOM_FOREST, {"n_estimators": 4, "criterion": "absolute_error"}),
    (Family.XGBOOST, {"n_estimators": 50, "learning_rate": 0.1, "subsample": 0.8}),
    (Family.XGBOOST, {"n_estimators": 30, "gamma": 300.0}),
    (Family.XGBOOST, {"n_estimators": 6, "num_parallel_tree": 4, "subsample": 0.5}),
    (Family.XGBOOST, {"n_estimators": 5, "max_depth": 0, "grow_policy": "lossguide"}),
    (Family.XGBOOST, {"n_estimators": 5, "tree_method": "exact", "reg_alpha": 2.0}),
    (Family.XGBOOST, {"n_estimators": 1, "max_depth": 1}),
]


def trained(dataset: Dataset, family: Family, assignment: Mapping[str, Value]) -> Model:
    return fit(make_recipe(dataset.shared, family, assignment), dataset.training)


def tolerance_of(dataset: Dataset, family: Family) -> float:
    return load_family(family).parity_tolerance * standard_deviation(dataset.training.targets)


def prove(dataset: Dataset, family: Family, model: Model, ensemble: Ensemble) -> None:
    features = dataset.training.rows.shape[1]
    scorer = Scorer(to_onnx(ensemble, features=features), features=features)
    at_thresholds = probes(model.ensemble(), dataset.training.rows, seed=0)
    checked = np.concatenate([dataset.training.rows, dataset.holdout.rows, at_thresholds])
    tolerance = tolerance_of(dataset, family)
    assert check_parity(scorer, model.predict, checked, tolerance=tolerance) <= tolerance


@pytest.mark.parametrize(("family", "assignment"), SHAPES + SINGLE_LEAVES)
def test_the_graph_predicts_what_the_model_predicts(
    boston_dataset: Dataset, family: Family, assignment: dict[str, Value]
) -> None:
    model = trained(boston_dataset, family, assignment)
    prove(boston_dataset, family, model, model.ensemble())


@pytest.mark.parametrize("family", Family)
def test_a_target_around_zero_is_predicted_within_the_same_bound(
    centred: Inputs, family: Family
) -> None:
    dataset = load(centred)
    model = trained(dataset, family, {"n_estimators": 40})
    assert dataset.training.targets.min() < 0 < dataset.training.targets.max()
    prove(dataset, family, model, model.ensemble())


def test_three_hundred_trees_are_proven(boston_dataset: Dataset) -> None:
    family = Family.RANDOM_FOREST
    model = trained(boston_dataset, family, {"n_estimators": 300, "max_features": 1 / 3})
    prove(boston_dataset, family, model, model.ensemble())


def other_comparison(ensemble: Ensemble) -> Ensemble:
    swapped = {
        SplitComparison.LESS_EQUAL: SplitComparison.LESS,
        SplitComparison.LESS: SplitComparison.LESS_EQUAL,
    }
    return replace(ensemble, comparison=swapped[ensemble.comparison])


def float32_thresholds(ensemble: Ensemble) -> Ensemble:
    trees = tuple(
        replace(tree, thresholds=tree.thresholds.astype(np.float32).astype(np.float64))
        for tree in ensemble.trees
    )
    return replace(ensemble, trees=trees)


def another_offset(ensemble: Ensemble) -> Ensemble:
    return replace(ensemble, offset=ensemble.offset + 0.01)


@pytest.mark.parametrize(
    ("family", "broken"),
    [
        (Family.RANDOM_FOREST, other_comparison),
        (Family.RANDOM_FOREST, float32_thresholds),
        (Family.RANDOM_FOREST, another_offset),
        (Family.XGBOOST, other_comparison),
        (Family.XGBOOST, another_offset),
    ],
)
def test_a_graph_that_compares_or_adds_otherwise_is_refused(
    boston_dataset: Dataset, family: Family, broken: Callable[[Ensemble], Ensemble]
) -> None:
    model = trained(boston_dataset, family, {"n_estimators": 20})
    with pytest.raises(SealError, match=r"for the row \[.*\]"):
        prove(boston_dataset, family, model, broken(model.ensemble()))


def walked(ensemble: Ensemble, rows: Floats) -> Floats:
    """Predict in NumPy, comparing in double."""
    compare = {SplitComparison.LESS_EQUAL: np.less_equal, SplitComparison.LESS: np.less}[
        ensemble.comparison
    ]
    total = np.full(len(rows), ensemble.offset)
    for tree in ensemble.trees:
        places = np.zeros(len(rows), dtype=int)
        while (inner := tree.is_split[places]).any():
            values = rows[np.arange(len(rows)), tree.features[places]]
            left = compare(values, tree.thresholds[places])
            child = np.where(left, tree.left[places], tree.right[places])
            places = np.where(inner, child, places)
        total += tree.weights[places]
    return total


@pytest.mark.parametrize("family", Family)
def test_rows_that_are_not_rounded_to_float32_end_in_other_leaves(
    boston_dataset: Dataset, family: Family
) -> None:
    model = trained(boston_dataset, family, {"n_estimators": 20})
    ensemble = model.ensemble()
    rows = np.concatenate(
        [boston_dataset.training.rows, probes(ensemble, boston_dataset.training.rows, seed=0)]
    )
    rounded = rows.astype(np.float32).astype(np.float64)
    expected, tolerance = model.predict(rows), tolerance_of(boston_dataset, family)
    assert np.abs(walked(ensemble, rounded) - expected).max() <= tolerance
    assert np.abs(walked(ensemble, rows) - expected).max() > tolerance


def stump(thresholds: Floats) -> Ensemble:
    """One tree per threshold of the first feature."""
    trees = tuple(
        Tree(
            left=np.array([1, -1, -1]),
            right=np.array([2, -1, -1]),
            features=np.array([0, -1, -1]),
            thresholds=np.array([threshold, 0.0, 0.0]),
            weights=np.array([0.0, 1.0, 2.0]),
        )
        for threshold in thresholds
    )
    return Ensemble(trees=trees, comparison=SplitComparison.LESS_EQUAL, offset=0.0)


def test_few_thresholds_are_probed_in_many_rows(boston_dataset: Dataset) -> None:
    rows = boston_dataset.training.rows
    probed = probes(stump(np.array([0.1])), rows, seed=0)
    assert len(probed) >= FEWEST_PROBES
    single = np.float32(0.1)
    assert set(probed[:, 0].tolist()) == {
        0.1,
        float(np.nextafter(single, np.float32(-1))),
        float(np.nextafter(single, np.float32(1))),
    }
    each = {tuple(row) for row in probed[probed[:, 0] == 0.1][:, 1:].tolist()}
    assert len(each) > len(rows) // 2


def test_of_many_thresholds_a_repeatable_sample_is_probed(boston_dataset: Dataset) -> None:
    rows = boston_dataset.training.rows
    ensemble = stump(np.linspace(0.0, 1.0, MOST_PROBES // 3 + 100))
    probed = probes(ensemble, rows, seed=0)
    assert len(probed) == MOST_PROBES
    assert np.array_equal(probed, probes(ensemble, rows, seed=0))
    assert not np.array_equal(probed, probes(ensemble, rows, seed=1))
