"""Snapshots: the counts of one worker, in a file that the other workers read.

A worker that replaces a dead one reads its file, and continues its counts. So the counts never
decrease, and the number of files is the number of workers.
"""

import logging
from pathlib import Path

import msgspec

from housectl.contract.regular_files import read_regular

# Upper ends of the buckets of relative differences between predictions.
DIFFERENCE_BUCKETS = (1e-9, 1e-6, 1e-4, 0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

_MAX_BYTES = 64 * 2**20

_log = logging.getLogger(__name__)


class RequestSeries(msgspec.Struct, array_like=True):
    """Requests with the same labels.

    Attributes:
        seconds: Sum of their durations.
        buckets: Numbers of requests by duration, not cumulative; the last bucket has no upper end.
    """

    method: str
    handler: str
    status: int
    seconds: float
    buckets: list[int]


class Block(msgspec.Struct, array_like=True, frozen=True):
    """Consecutive rows of a sliding window.

    Attributes:
        ended_at: Time of the last row, in seconds since the epoch.
        counts: uint32 for each bin of all features.
    """

    ended_at: float
    rows: int
    counts: bytes


class ModelDescription(msgspec.Struct, array_like=True, frozen=True):
    """Properties of a served model that its metrics need.

    Attributes:
        number: Number of the history entry that made the model the champion.
        labels: Label of each feature that has series of its own.
        expected: Counts of the reference in the bins of each of these features; empty without
            a reference.
        prediction_edges: Upper ends of the buckets of predictions; empty without a reference.
    """

    number: int
    digest: str
    version: str
    family: str
    labels: tuple[str, ...]
    expected: tuple[tuple[int, ...], ...]
    prediction_edges: tuple[float, ...]


class ModelSnapshot(msgspec.Struct, array_like=True):
    """Counts of the served model.

    Attributes:
        out_of_range: Number of values out of range of each feature, in the model's order.
        earlier_out_of_range: The same of earlier models, by label.
        prediction_buckets: Numbers of predictions, not cumulative.
        window: Latest rows, the latest block last.
    """

    description: ModelDescription
    out_of_range: list[int]
    earlier_out_of_range: dict[str, int]
    prediction_buckets: list[int]
    prediction_sum: float
    window: list[Block]


class ShadowSnapshot(msgspec.Struct, array_like=True, kw_only=True):
    """Differences between the predictions of a shadow and those of a champion.

    Attributes:
        digest, version: Bundle of the shadow.
        champion: Digest of the champion's bundle; empty without a champion.
        buckets: Numbers of rows by relative difference, not cumulative.
        rows: Number of compared rows.
        absolute_sum, relative_sum: Sums of the differences. A relative difference is a fraction of
            the greater absolute value of both predictions.
        failures: Number of rows for which the shadow predicts no finite number.
        dropped: Number of rows that were not compared because too many waited.
    """

    digest: str
    version: str
    champion: str
    buckets: list[int]
    rows: int = 0
    absolute_sum: float = 0.0
    relative_sum: float = 0.0
    failures: int = 0
    dropped: int = 0

    def copy(self) -> "ShadowSnapshot":
        """Return a copy that does not change with this one."""
        return msgspec.structs.replace(self, buckets=[*self.buckets])


class CanarySnapshot(msgspec.Struct, array_like=True):
    """Counts of a canary.

    Attributes:
        requests: Requests that it answered.
        predictions: Number of rows that it predicted.
        model: Counts of its predictions.
    """

    requests: list[RequestSeries]
    predictions: int
    model: ModelSnapshot


class Snapshot(msgspec.Struct, array_like=True):
    """Counts of one worker since the start of the server.

    Attributes:
        swaps: Number of hot swaps, by result.
        last_swap: Time of the last hot swap, in seconds since the epoch; 0 without a model.
        degraded: True if the newest champion is not served.
        log_lines: Number of lines, by log and result.
    """

    requests: list[RequestSeries] = []
    predictions: int = 0
    shed: int = 0
    swaps: dict[str, int] = {}
    last_swap: float = 0.0
    golden_failures: int = 0
    degraded: bool = False
    log_lines: dict[tuple[str, str], int] = {}
    model: ModelSnapshot | None = None
    shadow: ShadowSnapshot | None = None
    canary: CanarySnapshot | None = None


_DECODER = msgspec.msgpack.Decoder(Snapshot)


def read_snapshot(path: Path) -> Snapshot | None:
    """Return the snapshot of a worker; None if it has not written one."""
    try:
        return _DECODER.decode(read_regular(path, limit=_MAX_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _log.warning("the counts in %s are lost: %s", path, error)
        return None


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Replace the snapshot of a worker. It lives as long as the server, so it is not synced.

    Raises:
        OSError: The file cannot be written.
    """
    temporary = path.with_name(f"new-{path.name}")
    temporary.write_bytes(msgspec.msgpack.encode(snapshot))
    temporary.replace(path)
