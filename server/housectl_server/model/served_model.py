"""The served model: predicts rows and counts values out of range."""

import math
from collections.abc import Sequence

from housectl.contract.bundle import Bundle
from housectl.contract.scorer import open_bundle
from housectl_server.model.row_model import example_row
from housectl_server.model.rows import RowParser


class NonFinitePredictionError(ArithmeticError):
    """The model predicts NaN or an infinity, which JSON cannot express."""


class ServedModel:
    """A bundle that is checked, loaded into memory and ready to predict.

    Args:
        bundle: Bundle to serve.

    Attributes:
        rows: Parses request bodies as rows of this model's schema.
        example: Golden row that the documentation shows.
        out_of_range: By feature, the number of values outside the range of the training data, with
            texts that are no levels. Missing values are not counted.

    Raises:
        BundleError: The graph is invalid, or its prediction for a golden row differs.
    """

    def __init__(self, bundle: Bundle) -> None:
        schema = bundle.record.schema
        self.bundle = bundle
        self.example = example_row(bundle.golden)
        self.rows = RowParser(schema, example=self.example.row)
        self.out_of_range = dict.fromkeys(schema.feature_names, 0)
        self._scorer = open_bundle(bundle)
        self._ranges = [(each.name, each.minimum, each.maximum) for each in schema.features]

    def predict(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """Return one prediction per row, in the target's unit, independent of the other rows.

        Raises:
            NonFinitePredictionError: A prediction is not finite.
        """
        predictions = self._scorer.predict(rows)
        if not all(map(math.isfinite, predictions)):
            raise NonFinitePredictionError("A prediction is not a finite number.")
        for row in rows:
            self._count_out_of_range(row)
        return predictions

    def _count_out_of_range(self, row: Sequence[float]) -> None:
        for value, (name, minimum, maximum) in zip(row, self._ranges, strict=True):
            # Unlike a chained comparison, these are false for NaN.
            if value < minimum or value > maximum:
                self.out_of_range[name] += 1
