"""Gradient-boosted trees of XGBoost."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
import xgboost

from housectl.contract.parameters import Value
from housectl_trainer.model_family import ModelFamily, TrainingRows
from housectl_trainer.subset import Floats
from housectl_trainer.trees import LEAF, Ensemble, SplitComparison, Tree

# XGBoost keeps pruned nodes in its lists, with this number as their feature.
_PRUNED = 2**31 - 1
# XGBoost adds float32 gradients in double, in an order that depends on the threads. Around 0, their
# last digits are so small that the sums are rounded; around 3, the sums are exact.
_TARGET_OFFSET = 3.0
# None means "hist".
_QUANTILE_METHODS = (None, "hist")


class _Tree(msgspec.Struct):
    left_children: list[int]
    right_children: list[int]
    split_indices: list[int]
    split_conditions: list[float]
    default_left: list[int]
    sum_hessian: list[float]


class _Model(msgspec.Struct):
    trees: list[_Tree]


class _Booster(msgspec.Struct):
    model: _Model


class _Parameters(msgspec.Struct):
    base_score: str


class _Learner(msgspec.Struct):
    gradient_booster: _Booster
    learner_model_param: _Parameters


class _Document(msgspec.Struct):
    """The fields of XGBoost's JSON model that describe the trees.

    Reference: https://xgboost.readthedocs.io/en/release_3.2.0/tutorials/saving_model.html
    """

    learner: _Learner


@dataclass(frozen=True)
class XgboostModel:
    """A trained XGBoost model."""

    booster: xgboost.Booster

    def predict(self, rows: Floats) -> Floats:
        """Return the sum of the trees' predictions, which XGBoost adds in float32."""
        return np.asarray(self.booster.inplace_predict(rows), dtype=np.float64) - _TARGET_OFFSET

    def native(self) -> bytes:
        """Return the booster in UBJSON."""
        return bytes(self.booster.save_raw("ubj"))

    def body(self) -> Ensemble:
        """Return the trees; XGBoost stores a leaf's weight in the field of the threshold."""
        document = bytes(self.booster.save_raw("json"))
        learner = msgspec.json.decode(document, type=_Document).learner
        base_score = msgspec.json.decode(learner.learner_model_param.base_score, type=list[float])
        return Ensemble(
            trees=tuple(map(_tree, learner.gradient_booster.model.trees)),
            comparison=SplitComparison.LESS,
            offset=float(_to_float32(base_score)[0]) - _TARGET_OFFSET,
        )


def _tree(tree: _Tree) -> Tree:
    features = np.array(tree.split_indices)
    conditions = _to_float32(tree.split_conditions)
    is_kept = features != _PRUNED
    numbers = np.cumsum(is_kept) - 1
    left, right = (
        np.where(np.equal(children, LEAF), LEAF, numbers[children])[is_kept]
        for children in (tree.left_children, tree.right_children)
    )
    return Tree(
        left=left,
        right=right,
        features=features[is_kept],
        thresholds=conditions[is_kept],
        missing_left=np.array(tree.default_left, dtype=np.bool_)[is_kept],
        weights=conditions[is_kept],
        # The second derivative of the squared error of a row is 1.
        rows=np.array(tree.sum_hessian, dtype=np.int64)[is_kept],
    )


def _to_float32(values: list[float]) -> Floats:
    """Return the float32 numbers that were shortened to these decimal digits, as doubles."""
    return np.array(values, dtype=np.float32).astype(np.float64)


def _fit(
    assignment: Mapping[str, Value], training: TrainingRows, *, seed: int, threads: int
) -> XgboostModel:
    estimator = xgboost.XGBRegressor(**assignment, random_state=seed, n_jobs=threads)
    # The estimator's own `fit` would keep the rows in memory beside the matrix made of them.
    booster = xgboost.train(
        estimator.get_xgb_params(),
        _matrix(estimator, training),
        estimator.get_num_boosting_rounds(),
    )
    return XgboostModel(booster)


def _matrix(estimator: xgboost.XGBRegressor, training: TrainingRows) -> xgboost.DMatrix:
    """Return the rows in the form that the estimator's own `fit` trains on."""
    targets = training.targets + _TARGET_OFFSET
    if estimator.tree_method in _QUANTILE_METHODS:
        return xgboost.QuantileDMatrix(
            training.expand(), targets, max_bin=estimator.max_bin, nthread=estimator.n_jobs
        )
    return xgboost.DMatrix(training.expand(), targets, nthread=estimator.n_jobs)


FAMILY = ModelFamily(fit=_fit, precision=np.float32, measured_trees=20)
