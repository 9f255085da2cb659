"""Micro-batching: rows of requests that arrive together are predicted in one call."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Row = Sequence[float]


@dataclass
class _Batch:
    rows: list[Row] = field(default_factory=list)
    predictions: Sequence[float | None] = ()


class Batcher:
    """Predicts in one call what one turn of the event loop brought.

    A call costs more than a row does, and the trees that one row has fetched from memory serve the
    next. Nobody waits for company: a request that is alone in its turn is a batch of one.

    Args:
        predict: Returns one prediction per row.
    """

    def __init__(self, predict: Callable[[Sequence[Row]], list[float]]) -> None:
        self._predict = predict
        self._open = _Batch()

    async def predict(self, row: Row) -> float | None:
        """Return the prediction for a row; None if the model fails on some row of its batch."""
        batch = self._open
        place = len(batch.rows)
        batch.rows.append(row)
        # Whoever has come by now adds a row before this goes on, as the loop takes turns in order.
        await asyncio.sleep(0)
        if batch is self._open:
            self._open = _Batch()
            batch.predictions = self._predict_all(batch.rows)
        return batch.predictions[place]

    def _predict_all(self, rows: Sequence[Row]) -> Sequence[float | None]:
        try:
            return self._predict(rows)
        except Exception:  # noqa: BLE001  # whose row it was shows when each is tried alone
            return [None] * len(rows)
