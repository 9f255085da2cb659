"""The schedule of a verification: all probes in random order, each of them several times."""

import random
from collections.abc import Iterator
from operator import itemgetter

from housectl.contract.bundle import Bundle
from housectl.contract.scorer import Scorer
from housectl.verification.fresh_rows import Row, RowSampler
from housectl.verification.payloads import BodyWriter
from housectl.verification.probes import Prediction, Probe

GOLDEN_CHECK = "golden rows"
FRESH_CHECK = "fresh rows"
REPAIRED_CHECK = "repaired rows"

# Both the server and this process compute the same graph. Only the order of additions may differ.
_ROUNDING = 1e-9
# Predictions far outside the training data can be much larger than those of the golden rows.
_ROUNDING_OF_VALUE = 1e-12

ROW_CHECKS = (GOLDEN_CHECK, FRESH_CHECK, REPAIRED_CHECK)

Event = tuple[float, Probe]
"""A probe at a random moment between 0 and 1."""


class Scheduler:
    """Makes the probes of one verification.

    Args:
        bundle: The champion.
        scorer: The champion's scorer, which computes the expected predictions.
        rng: Source of rows, mistakes and order; a server must not be able to predict it.
    """

    def __init__(self, bundle: Bundle, scorer: Scorer, rng: random.Random) -> None:
        golden = bundle.golden
        largest = max(abs(row.prediction) for row in golden.rows)
        self.tolerance = min(golden.tolerance, _ROUNDING * largest)
        self._key = bundle.record.schema.target.response_key
        self._golden = [tuple(row) for row in golden.read_rows(bundle.record.schema)]
        self._scorer = scorer
        self._sampler = RowSampler(bundle.record.schema, self._golden, scorer, rng)
        self._writer = BodyWriter(bundle.record.schema, rng)
        self._random = rng

    def probes(self) -> list[Probe]:
        """Return all probes in their order."""
        events = [
            *self._ask_repeatedly(GOLDEN_CHECK, self._golden),
            *self._ask_repeatedly(FRESH_CHECK, self._sampler.sample()),
            *self._refuse_and_repair(),
        ]
        return [probe for _, probe in sorted(events, key=itemgetter(0))]

    def _ask_repeatedly(self, check: str, rows: list[Row]) -> Iterator[Event]:
        """Yield each row two or three times, at different moments."""
        for row, value in zip(rows, self._scorer.predict(rows), strict=True):
            probe = self._row_probe(check, row, value)
            for _ in range(self._random.randint(2, 3)):
                yield self._random.random(), probe

    def _refuse_and_repair(self) -> Iterator[Event]:
        """Yield each bad body twice, and after each time the row without the mistake."""
        for bad in self._writer.bad_bodies(self._sampler.inside):
            refused = Probe(check=f"rejects {bad.mistake}", body=bad.body, expected=bad.refusal)
            (value,) = self._scorer.predict([bad.row])
            repaired = self._row_probe(REPAIRED_CHECK, bad.row, value)
            for moment in (self._random.random(), self._random.random()):
                yield moment, refused
                yield self._random.uniform(moment, 1), repaired

    def _row_probe(self, check: str, row: Row, value: float) -> Probe:
        tolerance = max(self.tolerance, _ROUNDING_OF_VALUE * abs(value))
        expected = Prediction(key=self._key, value=value, tolerance=tolerance)
        return Probe(check=check, body=self._writer.valid(row), expected=expected)
