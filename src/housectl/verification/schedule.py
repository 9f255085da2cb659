"""The schedule of a verification: all probes in random order, each of them several times."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import itemgetter

from housectl.contract.bundle import Bundle
from housectl.contract.scorer import Scorer
from housectl.verification.batch_protocols import batch_probes
from housectl.verification.client import Response
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

_BATCH_ROWS = 10

ROW_CHECKS = (GOLDEN_CHECK, FRESH_CHECK, REPAIRED_CHECK)

Event = tuple[float, Probe]
"""A probe at a random moment between 0 and 1."""


class Predictor:
    """Computes the predictions that a server must give.

    Args:
        bundle: The model.
        scorer: Its scorer.
    """

    def __init__(self, bundle: Bundle, scorer: Scorer) -> None:
        golden = bundle.golden
        largest = max(abs(row.prediction) for row in golden.rows)
        self._tolerance = min(golden.tolerance, _ROUNDING * largest)
        self._key = bundle.record.schema.target.response_key
        self._scorer = scorer

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Return the prediction for each row."""
        return [self._prediction(value) for value in self._scorer.predict(rows)]

    def _prediction(self, value: float) -> Prediction:
        tolerance = max(self._tolerance, _ROUNDING_OF_VALUE * abs(value))
        return Prediction(key=self._key, value=value, tolerance=tolerance)


class Scheduler:
    """Makes the probes of one verification.

    Args:
        bundle: The champion.
        scorer: The champion's scorer, which computes the expected predictions.
        rng: Source of rows, mistakes and order; a server must not be able to predict it.
    """

    def __init__(self, bundle: Bundle, scorer: Scorer, rng: random.Random) -> None:
        self._predictor = Predictor(bundle, scorer)
        self._schema = bundle.record.schema
        self._golden = [tuple(row) for row in bundle.golden.read_rows(bundle.record.schema)]
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

    def batches(self, openapi: Response) -> list[Probe]:
        """Return the same rows in each form of a batch that an OpenAPI document describes."""
        rows = [*self._golden[:_BATCH_ROWS], *(self._sampler.inside() for _ in range(_BATCH_ROWS))]
        expected = self._predictor.predict(rows)
        fields = [self._writer.fields(row) for row in rows]
        probes = batch_probes(openapi, fields, expected, self._schema)
        return [replace(probe, rows=rows) for probe in probes]

    def _ask_repeatedly(self, check: str, rows: list[Row]) -> Iterator[Event]:
        """Yield each row two or three times, at different moments."""
        for row, expected in zip(rows, self._predictor.predict(rows), strict=True):
            probe = self._row_probe(check, row, expected)
            for _ in range(self._random.randint(2, 3)):
                yield self._random.random(), probe

    def _refuse_and_repair(self) -> Iterator[Event]:
        """Yield each bad body twice, and after each time the row without the mistake."""
        for bad in self._writer.bad_bodies(self._sampler.inside):
            refused = Probe(check=f"rejects {bad.mistake}", body=bad.body, expected=bad.refusal)
            (expected,) = self._predictor.predict([bad.row])
            repaired = self._row_probe(REPAIRED_CHECK, bad.row, expected)
            for moment in (self._random.random(), self._random.random()):
                yield moment, refused
                yield self._random.uniform(moment, 1), repaired

    def _row_probe(self, check: str, row: Row, expected: Prediction) -> Probe:
        body = self._writer.valid(row)
        return Probe(check=check, body=body, expected=expected, rows=(row,))
