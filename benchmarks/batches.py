"""Rows per second of batches over HTTP, compared with onnxruntime alone on the same rows."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

import httpx
import numpy as np
from numpy.typing import NDArray

from benchmarks.measurement import Direction, Measurement, log
from benchmarks.servers import running_server
from housectl.contract.bundle import Bundle
from housectl.contract.scorer import open_bundle
from housectl.store.local import LocalStore

_ROWS = 10_000
_ROUNDS = 9
_NOISE = 0.01
_RATE_GOAL = 40.0
# A batch may take 1.1 times as long through HTTP.
_RATIO_GOAL = 1 / 1.1
_INFER = "/v2/models/champion/infer"
_ALONE, _BINARY, _JSON, _ARRAY = "onnxruntime", "binary", "JSON", "array"


def measure(store: Path, scratch: Path) -> list[Measurement]:
    """Predict a batch over HTTP and in this process in turn; compare by the median of the ratios.

    Args:
        store: Store whose champion has features that are numbers only.
        scratch: Directory for temporary files.
    """
    champions = LocalStore(store)
    bundle = champions.bundle(champions.require_champion().bundle)
    rows = _random_rows(bundle)
    scorer = open_bundle(bundle)
    requests = {
        _BINARY: _binary_tensor(rows),
        _JSON: _Request(_INFER, _json_tensor(rows)),
        _ARRAY: _Request("/predict", _array(rows, bundle)),
    }
    log_file = scratch / "batches.log"
    with (
        running_server("housectl_server", "--port", store=store, log=log_file) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=60) as client,
    ):
        jobs: dict[str, Callable[[], object]] = {_ALONE: lambda: scorer.predict(rows)}
        jobs |= {name: partial(each.post, client) for name, each in requests.items()}
        rates = _rates(jobs)
    return _measurements(rates)


@dataclass(frozen=True)
class _Request:
    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def post(self, client: httpx.Client) -> None:
        client.post(self.path, content=self.body, headers=self.headers).raise_for_status()


def _measurements(rates: Mapping[str, Sequence[float]]) -> list[Measurement]:
    ratios = {
        name: median(np.divide(values, rates[_ALONE]).tolist()) for name, values in rates.items()
    }
    shown = {
        name: f"{median(values):.0f} rows/s, {ratios[name]:.2f} of onnxruntime"
        for name, values in rates.items()
    }
    return [
        Measurement(
            name=f"/v2 with {_ROWS} rows, binary",
            ratio=ratios[_BINARY],
            goal=_RATIO_GOAL,
            better=Direction.HIGHER,
            detail=f"{shown[_BINARY]}\nagainst {median(rates[_ALONE]):.0f} rows/s",
        ),
        Measurement(
            name=f"/v2 with {_ROWS} rows, JSON",
            ratio=median(rates[_JSON]) / 1000,
            goal=_RATE_GOAL,
            better=Direction.HIGHER,
            detail=f"{shown[_JSON]}\n(as an array of objects at /predict: {shown[_ARRAY]})",
            unit="thousand rows/s",
        ),
    ]


def _rates(jobs: Mapping[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Return the rows per second of each job, one per round."""
    for job in jobs.values():
        job()
    rates: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(_ROUNDS):
        log(f"batches: round {number + 1} of {_ROUNDS}")
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            rates[name].append(_ROWS / (time.perf_counter() - start))
    return rates


def _random_rows(bundle: Bundle) -> NDArray[np.float64]:
    """Return rows near the golden ones, `(rows, features)`."""
    golden = np.array(bundle.golden.read_rows(bundle.record.schema))
    generator = np.random.default_rng(0)
    rows: NDArray[np.float64] = golden[generator.integers(len(golden), size=_ROWS)]
    return rows * generator.normal(1, _NOISE, size=rows.shape)


def _json_tensor(rows: NDArray[np.float64]) -> bytes:
    return _infer_request(rows, {"data": rows.ravel().tolist()})


def _binary_tensor(rows: NDArray[np.float64]) -> _Request:
    data = rows.astype("<f8").tobytes()
    text = _infer_request(rows, {"parameters": {"binary_data_size": len(data)}})
    headers = {"inference-header-content-length": str(len(text))}
    return _Request(_INFER, text + data, headers)


def _infer_request(rows: NDArray[np.float64], values: Mapping[str, object]) -> bytes:
    tensor = {"name": "rows", "shape": rows.shape, "datatype": "FP64", **values}
    return json.dumps({"inputs": [tensor]}).encode()


def _array(rows: NDArray[np.float64], bundle: Bundle) -> bytes:
    names = bundle.record.schema.feature_names
    return json.dumps([dict(zip(names, row, strict=True)) for row in rows.tolist()]).encode()
