"""From the body of a request to a prediction."""

from housectl.contract.bundle import Bundle
from housectl.contract.scorer import open_bundle
from server.rows import RowReader


class Model:
    """A bundle that answers: checked, warm, wholly in memory.

    Args:
        bundle: What to answer with.

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

    def answer(self, body: bytes | bytearray) -> float:
        """Return the prediction for the row in a request's body, in the target's unit.

        Raises:
            UnreadableRowError: The body is not JSON.
            InvalidRowError: The body is not a row of this model's schema.
        """
        row = self.rows.read(body)
        for value, (name, minimum, maximum) in zip(row, self._ranges, strict=True):
            if not minimum <= value <= maximum:
                self.out_of_range[name] += 1
        return self._scorer.predict((row,))[0]
