"""The prediction log: features and predictions of a sample of the predicted rows, as JSON lines."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import random

import msgspec
import numpy as np
from numpy.typing import NDArray

from housectl.contract.bundle import Bundle
from housectl.contract.cells import write_row
from housectl.contract.files import translate_disk_errors
from housectl.contract.schema import Schema
from housectl_server.monitoring.background_writer import BackgroundWriter
from housectl_server.monitoring.rotating_file import RotatingFile

_MAX_WAITING_ROWS = 20_000
_MAX_WAITING_VALUES = 1_000_000

# Logs the predictions for the rows of a request; see `PredictionLog.of_bundle`.
LogPredictions = Callable[
    [str, Sequence[Sequence[float]] | NDArray[np.float64], Sequence[float]], None
]


@dataclass(frozen=True, slots=True)
class _Line:
    time: float
    request_id: str
    digest: str
    schema: Schema
    row: Sequence[float]
    prediction: float


class PredictionLog:
    """Writes a sample of the predictions to a file.

    Args:
        path: The file.
        sample: Fraction of the rows that are logged, above 0 and up to 1.

    Attributes:
        writer: Writes the lines.

    Raises:
        LocalEnvironmentError: The file cannot be written.
    """

    def __init__(self, path: Path, *, sample: float) -> None:
        with translate_disk_errors(path):
            self._file = RotatingFile(path)
        self._sample = sample
        self.writer: BackgroundWriter[_Line] = BackgroundWriter(self._write, name="prediction log")

    def of_bundle(self, bundle: Bundle) -> LogPredictions:
        """Return a function that logs the predictions of a bundle; any thread may call it."""
        schema, digest = bundle.record.schema, bundle.digest
        capacity = min(_MAX_WAITING_ROWS, _MAX_WAITING_VALUES // len(schema.features))
        sample, put = self._sample, self.writer.put

        def log(
            request_id: str,
            rows: Sequence[Sequence[float]] | NDArray[np.float64],
            predictions: Sequence[float],
        ) -> None:
            """Log the predictions for the rows of a request.

            Args:
                request_id: Id of the request.
                rows: `(n, features)` doubles; see `cells`.
                predictions: `(n,)`.
            """
            now = time.time()
            values = rows.tolist() if isinstance(rows, np.ndarray) else rows
            for row, prediction in zip(values, predictions, strict=True):
                if random() < sample:  # noqa: S311
                    line = _Line(now, request_id, digest, schema, row, prediction)
                    put(line, capacity=capacity)

        return log

    def _write(self, lines: Sequence[_Line]) -> None:
        self._file.append(b"".join(map(_encode, lines)))


def _encode(line: _Line) -> bytes:
    features = dict(zip(line.schema.feature_names, write_row(line.schema, line.row), strict=True))
    fields = {
        "time": datetime.fromtimestamp(line.time, UTC).isoformat(),
        "request_id": line.request_id,
        "model": line.digest,
        "features": features,
        "prediction": line.prediction,
    }
    return msgspec.json.encode(fields) + b"\n"
