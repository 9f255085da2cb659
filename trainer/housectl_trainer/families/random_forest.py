"""Random forests of scikit-learn."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

import joblib
import numpy as np
from sklearn.ensemble import RandomForestRegressor

from housectl.contract.parameters import Value
from housectl_trainer.model_family import ModelFamily
from housectl_trainer.subset import DataSubset, Floats
from housectl_trainer.trees import Ensemble, SplitComparison, Tree


@dataclass(frozen=True)
class RandomForestModel:
    """A trained random forest."""

    estimator: RandomForestRegressor

    def predict(self, rows: Floats) -> Floats:
        """Return the mean of the trees' predictions."""
        return np.asarray(self.estimator.predict(rows), dtype=np.float64)

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
                    missing_left=tree.missing_go_to_left.astype(np.bool_),
                    weights=tree.value[:, 0, 0] / len(trees),
                )
                for tree in trees
            ),
            comparison=SplitComparison.LESS_EQUAL,
            offset=0.0,
        )


def _fit(
    assignment: Mapping[str, Value], subset: DataSubset, *, seed: int, threads: int
) -> RandomForestModel:
    estimator = RandomForestRegressor(**assignment, random_state=seed, n_jobs=threads)
    estimator.fit(subset.rows, subset.targets)
    # Threads would add the trees' predictions in another order, and the file contains n_jobs.
    estimator.set_params(n_jobs=1)
    return RandomForestModel(estimator)


FAMILY = ModelFamily(fit=_fit)
