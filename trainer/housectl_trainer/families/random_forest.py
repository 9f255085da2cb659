"""Random forests of scikit-learn."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from housectl.contract.columns import Rows
from housectl.contract.parameters import Value
from housectl_trainer.model_family import ModelFamily, TrainingRows
from housectl_trainer.subset import Floats
from housectl_trainer.trees import Ensemble, SplitComparison, Tree

_ABSOLUTE_ERROR = "absolute_error"
# scikit-learn divides by absolute errors only rows without missing values. There, a missing value
# counts as one below all others, and a split can still send it to the left alone.
_LOWEST = -(2.0**100)
# A tree has at most two nodes for each row that it is fitted to, of about 80 bytes.
_TREE_BYTES_PER_ROW = 160
_GROUP_BYTES = 16_000_000


class TreeArrays(Protocol):
    """The nodes of a tree of scikit-learn."""

    threshold: Floats
    missing_go_to_left: NDArray[np.uint8]


@dataclass(frozen=True)
class RandomForestModel:
    """A trained random forest."""

    estimator: RandomForestRegressor

    def predict(self, rows: Floats) -> Floats:
        """Return the mean of the trees' predictions."""
        prepared = _prepared(rows, self.estimator.criterion)
        return np.asarray(self.estimator.predict(prepared), dtype=np.float64)

    def native(self) -> bytes:
        """Return the estimator in joblib's format."""
        buffer = io.BytesIO()
        joblib.dump(self.estimator, buffer)
        return buffer.getvalue()

    def body(self) -> Ensemble:
        """Return the trees, with weights divided by their number: a forest predicts the mean."""
        trees = [estimator.tree_ for estimator in self.estimator.estimators_]
        return Ensemble(
            trees=tuple(
                Tree(
                    left=tree.children_left,
                    right=tree.children_right,
                    features=tree.feature,
                    thresholds=tree.threshold,
                    missing_left=_missing_left(tree, self.estimator.criterion),
                    weights=tree.value[:, 0, 0] / len(trees),
                    rows=tree.weighted_n_node_samples.astype(np.int64),
                )
                for tree in trees
            ),
            comparison=SplitComparison.LESS_EQUAL,
            offset=0.0,
        )


def _prepared(rows: Rows, criterion: str) -> Rows:
    return np.where(np.isnan(rows), _LOWEST, rows) if criterion == _ABSOLUTE_ERROR else rows


def _missing_left(tree: TreeArrays, criterion: str) -> NDArray[np.bool_]:
    if criterion == _ABSOLUTE_ERROR:
        return np.less_equal(_LOWEST, tree.threshold)
    return tree.missing_go_to_left.astype(np.bool_)


def _fit(
    assignment: Mapping[str, Value], training: TrainingRows, *, seed: int, threads: int
) -> RandomForestModel:
    estimator = RandomForestRegressor(**assignment, random_state=seed, n_jobs=threads)
    estimator.fit(_prepared(training.expand(), estimator.criterion), training.targets)
    # Threads would add the trees' predictions in another order, and the file contains n_jobs.
    estimator.set_params(n_jobs=1)
    return RandomForestModel(estimator)


def _fit_and_predict(
    assignment: Mapping[str, Value],
    training: TrainingRows,
    rows: Rows,
    *,
    seed: int,
    threads: int,
) -> Floats:
    """Fit groups of trees, and remove each group when it has predicted the rows."""
    estimator = RandomForestRegressor(
        **assignment, random_state=seed, n_jobs=threads, warm_start=True
    )
    trees: int = estimator.n_estimators
    training_rows = _prepared(training.expand(), estimator.criterion)
    tested = _prepared(rows, estimator.criterion)
    predictions = np.zeros(len(rows))
    group = threads * max(1, _GROUP_BYTES // (_TREE_BYTES_PER_ROW * len(training_rows) * threads))
    for fitted in (*range(group, trees, group), trees):
        estimator.set_params(n_estimators=fitted).fit(training_rows, training.targets)
        for tree in filter(None, estimator.estimators_):
            predictions += tree.predict(tested, check_input=False)
        # A warm start continues the sequence of seeds after this number of trees.
        estimator.estimators_ = [None] * fitted
    return predictions / trees


FAMILY = ModelFamily(
    fit=_fit, fit_and_predict=_fit_and_predict, precision=np.float32, measured_trees=4
)
