"""Micro-batching: one model call predicts the rows of all requests that arrive together."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Row = Sequence[float]


@dataclass
class _Batch:
    rows: list[Row] = field(default_factory=list)
    predictions: Sequence[float | None] = ()


class Batcher:
    """Predicts the rows that arrive in one turn of the event loop with one model call.

    A call costs more than a row, and a batch shares the trees that its first row loads into the
    cache. No request waits for others: a single request in its turn is a batch of one.

    Args:
        predict: Returns one prediction per row.
    """

    def __init__(self, predict: Callable[[Sequence[Row]], list[float]]) -> None:
        self._predict = predict
        self._open = _Batch()

    async def predict(self, row: Row) -> float | None:
        """Return the prediction for a row; None if the model fails on some row of its batch."""
        batch = self._open
        index = len(batch.rows)
        batch.rows.append(row)
        # The loop resumes in order, so requests that are ready now add their rows first.
        await asyncio.sleep(0)
        if batch is self._open:
            self._open = _Batch()
            batch.predictions = self._predict_all(batch.rows)
        return batch.predictions[index]

    def _predict_all(self, rows: Sequence[Row]) -> Sequence[float | None]:
        try:
            return self._predict(rows)
        except Exception:  # noqa: BLE001  # each request then retries its own row
            return [None] * len(rows)
