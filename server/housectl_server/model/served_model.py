"""The served model: predicts rows."""

import math
from collections.abc import Callable, Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from housectl.contract.bundle import Bundle
from housectl.contract.scorer import open_bundle
from housectl_server.model.explanation import Explanation, RowExplainer
from housectl_server.model.row_model import example_row
from housectl_server.model.rows import RowParser
from housectl_server.monitoring.prediction_log import LogPredictions

# Records rows, `(n, features)`, with their predictions, `(n,)`.
Recorder = Callable[[NDArray[np.float64], Sequence[float]], None]


class NonFinitePredictionError(ArithmeticError):
    """The model predicts NaN or an infinity, which JSON cannot express."""


class ServedModel:
    """A bundle that is checked, loaded into memory and ready to predict.

    Args:
        bundle: Bundle to serve.
        record: Records predictions, for metrics.
        log: Logs predictions; None to log nothing.

    Attributes:
        rows: Parses request bodies as rows of this model's schema.
        log: Logs the predictions that a request gets; None to log nothing.
        example: Golden row that the documentation shows.

    Raises:
        BundleError: The graph is invalid, or its prediction for a golden row differs.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        record: Recorder = lambda *_: None,
        log: LogPredictions | None = None,
    ) -> None:
        self.bundle = bundle
        self.example = example_row(bundle.golden)
        self.rows = RowParser(bundle.record.schema, example=self.example.row)
        self._scorer = open_bundle(bundle)
        self.log = log
        self._record = record
        self._explainer = RowExplainer(bundle, self._scorer)

    def predict(self, rows: Sequence[Sequence[float]] | NDArray[np.float64]) -> list[float]:
        """Return one prediction per row, in the target's unit, independent of the other rows.

        Args:
            rows: `(n, features)`, the doubles of the features' values; see `cells`.

        Raises:
            NonFinitePredictionError: A prediction is not finite.
        """
        if not len(rows):
            return []
        table = np.array(rows, dtype="float64")
        predictions = self._scorer.predict(table)
        if not all(map(math.isfinite, predictions)):
            raise NonFinitePredictionError("A prediction is not a finite number.")
        self._record(table, predictions)
        return predictions

    def measure_row_seconds(self) -> float:
        """Return the time in which the model predicts a row, as one of the golden rows."""
        rows = self.bundle.golden.read_rows(self.bundle.record.schema)
        start = perf_counter()
        self._scorer.predict(rows)
        return (perf_counter() - start) / len(rows)

    def explain(self, row: Sequence[float]) -> Explanation:
        """Return the contributions of the features to the prediction for a row.

        Explanations are not recorded as predictions. Only one thread may ask for them.

        Raises:
            NotExplainableError: The model is too large, or an earlier version sealed it.
        """
        return self._explainer.explain(row)
