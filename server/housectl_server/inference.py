"""From rows to predictions."""

from collections.abc import Sequence

from housectl.contract.bundle import Bundle
from housectl.contract.scorer import open_bundle
from housectl_server.rows import RowReader


class ServedModel:
    """A bundle that answers: checked, warm, wholly in memory.

    Args:
        bundle: What to answer with.

    Attributes:
        rows: Reads a request's body as a row of this model's schema.
        out_of_range: How many values were outside of the training data's range, by feature.

    Raises:
        BundleError: Its graph is refused, or answers a golden row otherwise.
    """

    def __init__(self, bundle: Bundle) -> None:
        schema = bundle.record.schema
        self.bundle = bundle
        self.rows = RowReader(schema, example=bundle.golden.rows[0].row)
        self.out_of_range = dict.fromkeys(schema.feature_names, 0)
        self._scorer = open_bundle(bundle)
        self._ranges = [(each.name, each.minimum, each.maximum) for each in schema.features]

    def predict(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """Return one prediction per row, in the target's unit, whatever rows are beside it."""
        predictions = self._scorer.predict(rows)
        for row in rows:
            self._count(row)
        return predictions

    def _count(self, row: Sequence[float]) -> None:
        for value, (name, minimum, maximum) in zip(row, self._ranges, strict=True):
            if not minimum <= value <= maximum:
                self.out_of_range[name] += 1
