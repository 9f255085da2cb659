"""Reference models: the pipeline that a person writes by hand, and CatBoost with its defaults."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.catalog import DataSet

if TYPE_CHECKING:
    from pandas import DataFrame, Series
    from sklearn.pipeline import Pipeline

_SEED = 42
_FOLDS = 5
_THREADS = 2
_MISSING = "missing"


@dataclass(frozen=True)
class SplitFrame:
    """Columns and targets, divided into training rows and held-out rows."""

    columns: "DataFrame"
    targets: "Series[float]"
    training: NDArray[np.intp]
    holdout: NDArray[np.intp]

    def holdout_r2(self, predictions: NDArray[np.float64]) -> float:
        """Return R² of predictions for the held-out rows."""
        targets = self.targets.to_numpy()[self.holdout]
        errors = math.fsum((targets - predictions) ** 2)
        return 1 - errors / math.fsum((targets - targets.mean()) ** 2)


def reference_columns(frame: "DataFrame", data_set: DataSet) -> "DataFrame":
    """Return the columns that a person gives to a model: dates as numbers, and no row names."""
    import pandas as pd

    columns = frame.drop(columns=[data_set.target, *data_set.dropped])
    for name in data_set.dates:
        dates = pd.to_datetime(columns.pop(name))
        columns[f"{name}.year"] = dates.dt.year
        columns[f"{name}.month"] = dates.dt.month
        columns[f"{name}.day"] = dates.dt.dayofyear
    return columns


def hand_written_r2(frame: SplitFrame) -> float:
    """Return R² of the better of two pipelines.

    Cross-validation on the training rows chooses one. Each replaces missing numbers by the median,
    and encodes texts as indicators.
    """
    from sklearn.model_selection import cross_val_score

    rows, targets = frame.columns.iloc[frame.training], frame.targets.iloc[frame.training]
    scores = {
        name: cross_val_score(pipeline, rows, targets, cv=_FOLDS).mean()
        for name, pipeline in _pipelines(frame.columns).items()
    }
    best = _pipelines(frame.columns)[max(scores, key=scores.__getitem__)]
    best.fit(rows, targets)
    return frame.holdout_r2(best.predict(frame.columns.iloc[frame.holdout]))


def catboost_r2(frame: SplitFrame) -> float:
    """Return R² of CatBoost with its defaults and its own treatment of categories."""
    from catboost import CatBoostRegressor

    columns = frame.columns.copy()
    texts = _text_columns(columns)
    columns[texts] = columns[texts].astype(object).fillna(_MISSING)
    model = CatBoostRegressor(
        random_seed=_SEED,
        thread_count=_THREADS,
        cat_features=texts,
        verbose=False,
        allow_writing_files=False,
    )
    model.fit(columns.iloc[frame.training], frame.targets.iloc[frame.training])
    return frame.holdout_r2(model.predict(columns.iloc[frame.holdout]))


def _text_columns(columns: "DataFrame") -> list[str]:
    return [str(name) for name in columns.select_dtypes(exclude="number").columns]


def _pipelines(columns: "DataFrame") -> "dict[str, Pipeline]":
    from sklearn.ensemble import RandomForestRegressor
    from xgboost import XGBRegressor

    forest = RandomForestRegressor(n_estimators=300, random_state=_SEED, n_jobs=_THREADS)
    boosting = XGBRegressor(
        n_estimators=300, learning_rate=0.05, max_depth=4, random_state=_SEED, n_jobs=_THREADS
    )
    return {"forest": _pipeline(columns, forest), "boosting": _pipeline(columns, boosting)}


def _pipeline(columns: "DataFrame", model: object) -> "Pipeline":
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    texts = _text_columns(columns)
    encoding = ColumnTransformer(
        [
            ("texts", OneHotEncoder(handle_unknown="ignore"), texts),
            ("numbers", SimpleImputer(strategy="median"), columns.columns.drop(texts).tolist()),
        ]
    )
    return make_pipeline(encoding, model)
