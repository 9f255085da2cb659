"""The right predictions of a bundle, computed from its files without housectl's readers."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tests.contract.bundle_files import digest_of_record, sha256
from tests.contract.graphs import predict, read_model

_RANDOM_ROWS = 20

PredictFunction = Callable[[Sequence[Sequence[float]]], list[float]]


def contradiction(directory: Path, predict_rows: PredictFunction) -> str | None:
    """Return the difference between a model and the bundle in a directory; None without one."""
    data = (directory / "bundle.json").read_bytes()
    record = json.loads(data)
    files = {name: sha256((directory / name).read_bytes()) for name in record["files"]}
    golden = json.loads((directory / "golden.json").read_bytes())
    golden_rows = np.array([each["row"] for each in golden["rows"]], dtype=np.float64)
    expected = np.array([each["prediction"] for each in golden["rows"]])
    rows = np.concatenate([golden_rows, _rows_like(golden_rows)])
    predictions = np.array(predict_rows(rows.tolist()))
    computed = predict(read_model((directory / "model.onnx").read_bytes()), rows)
    problems = {
        "its name is not its digest": directory.name != digest_of_record(data),
        "a file has another sha256": files != record["files"],
        "a prediction is not finite": not np.isfinite(predictions).all(),
        "a golden row differs": not (
            np.abs(predictions[: len(expected)] - expected) <= golden["tolerance"]
        ).all(),
        "a prediction is not the sum of the trees": not np.allclose(
            predictions, computed, rtol=1e-9, atol=1e-9
        ),
        "a prediction depends on its batch": predictions[-5:].tolist()
        != [predict_rows([row])[0] for row in rows[-5:].tolist()],
    }
    return next((problem for problem, exists in problems.items() if exists), None)


def _rows_like(rows: np.ndarray) -> np.ndarray:
    """Return random rows in and around the range of some rows."""
    low, high = rows.min(axis=0), rows.max(axis=0)
    unit = np.random.default_rng().random((_RANDOM_ROWS, rows.shape[1]))
    return low + (high - low) * (1.4 * unit - 0.2)
