import math

import numpy as np
import pytest

from housectl.contract.families import Family
from housectl_trainer.data import Dataset
from housectl_trainer.fitting import fit, make_recipe
from housectl_trainer.sealing.branch_layout import put_likely_child_right
from housectl_trainer.sealing.parity import threshold_probes
from housectl_trainer.subset import Floats
from housectl_trainer.trees import LEAF, Ensemble, SplitComparison, Tree
from tests.trainer.small_assignments import TREE_FAMILIES


def leaf_weight(tree: Tree, comparison: SplitComparison, row: Floats) -> float:
    """Return the weight of a row's leaf."""
    goes_left = {SplitComparison.LESS_EQUAL: np.less_equal, SplitComparison.LESS: np.less}[
        comparison
    ]
    node = 0
    while tree.left[node] != LEAF:
        value = row[tree.features[node]]
        left = (
            tree.missing_left[node] if np.isnan(value) else goes_left(value, tree.thresholds[node])
        )
        node = (tree.left if left else tree.right)[node]
    return float(tree.weights[node])


def leaf_count(tree: Tree, node: int) -> int:
    if tree.left[node] == LEAF:
        return 1
    return leaf_count(tree, tree.left[node]) + leaf_count(tree, tree.right[node])


def has_same_leaves(ensemble: Ensemble, rows: Floats) -> bool:
    reordered = put_likely_child_right(ensemble, features=rows.shape[1])
    rounded = rows.astype(np.float32).astype(np.float64)
    return all(
        leaf_weight(before, ensemble.comparison, row)
        == leaf_weight(after, reordered.comparison, np.concatenate([row, -row]))
        for before, after in zip(ensemble.trees, reordered.trees, strict=True)
        for row in rounded
    )


@pytest.mark.parametrize("family", TREE_FAMILIES)
def test_rows_keep_their_leaves_and_the_likelier_child_is_right(
    boston_dataset: Dataset, family: Family
) -> None:
    recipe = make_recipe(boston_dataset.shared, family, {"n_estimators": 8})
    ensemble = fit(recipe, boston_dataset.training).model.body()
    rows = boston_dataset.training.rows
    step = 1 if family is Family.XGBOOST else 10
    at_thresholds = threshold_probes(ensemble.thresholds(), rows, seed=0)[::step]
    assert has_same_leaves(ensemble, np.concatenate([rows, at_thresholds]))
    for tree in put_likely_child_right(ensemble, features=rows.shape[1]).trees:
        for node in np.flatnonzero(tree.is_split):
            right, left = (leaf_count(tree, child[node]) for child in (tree.right, tree.left))
            assert right >= left


@pytest.mark.parametrize("missing_left", [False, True])
@pytest.mark.parametrize("comparison", SplitComparison)
@pytest.mark.parametrize("threshold", [0.0, -0.0, 0.1, -0.1, 1.0, -1e-45, 5e-324, math.inf])
def test_node_with_swapped_children_splits_rows_as_before(
    *, comparison: SplitComparison, threshold: float, missing_left: bool
) -> None:
    tree = Tree(
        left=np.array([1, 3, LEAF, LEAF, LEAF]),
        right=np.array([2, 4, LEAF, LEAF, LEAF]),
        features=np.zeros(5, dtype=np.int64),
        thresholds=np.array([threshold, threshold - 1.0, 0.0, 0.0, 0.0]),
        missing_left=np.array([missing_left, not missing_left, False, False, False]),
        weights=np.arange(5.0),
        rows=np.ones(5, dtype=np.int64),
    )
    single = np.float32(threshold)
    values = [single, -single, *(np.nextafter(single, np.float32(to)) for to in (-1e38, 1e38))]
    candidates = np.array([*values, -0.0, 0.0, 3e38, -3e38, math.nan], dtype=np.float64)
    rows = candidates[~np.isinf(candidates)][:, np.newaxis]
    assert has_same_leaves(Ensemble(trees=(tree,), comparison=comparison, offset=0.0), rows)
