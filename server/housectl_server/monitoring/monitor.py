"""The monitor: all counts of one worker, and those of the others."""

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from housectl_server.monitoring.background_writer import BackgroundWriter, LineResult
from housectl_server.monitoring.model_counts import ModelCounts
from housectl_server.monitoring.request_counts import RequestCounts
from housectl_server.monitoring.snapshot import (
    CanarySnapshot,
    ShadowSnapshot,
    Snapshot,
    read_snapshot,
    write_snapshot,
)

_log = logging.getLogger(__name__)

_FLUSH_SECONDS = 0.1
_PREFIX = "metrics-"


class SwapResult(StrEnum):
    """Result of a hot swap."""

    SUCCESS = "success"
    FAILURE = "failure"


Counts = TypeVar("Counts")


class Side(Protocol[Counts]):
    """A version that runs beside the champion, and counts its rows by itself."""

    def inherit(self, former: Counts | None) -> None:
        """Continue the counts of the worker that this one replaces."""

    def snapshot(self) -> Counts:
        """Return the current counts."""


class Monitor:
    """Counts of this worker; requests add to buffers, which are counted ten times a second.

    Args:
        directory: Directory of the workers' snapshots; None if this is the only worker.
        slot: Number of this worker, from 0. A worker that replaces another one has its number.

    Attributes:
        requests: Counts of answered requests.
    """

    def __init__(self, directory: Path | None = None, *, slot: int = 0) -> None:
        self._directory = directory
        self._path = directory and directory / f"{_PREFIX}{slot}"
        self._counts = (self._path and read_snapshot(self._path)) or Snapshot()
        self._is_published = False
        self._write_failed = False
        self._logs: dict[str, tuple[BackgroundWriter[Any], Mapping[LineResult, int]]] = {}
        self._model: ModelCounts | None = None
        # Requests in flight finish on the model that was replaced.
        self._replaced: ModelCounts | None = None
        self._shadow: Side[ShadowSnapshot] | None = None
        self._canary: Side[CanarySnapshot] | None = None
        self.requests = RequestCounts(self._counts.requests)

    async def run(self) -> None:
        """Count what requests have added, until cancelled."""
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            self._flush()
            if self._path:
                self._publish()

    def serve(self, model: ModelCounts) -> None:
        """Count the predictions of a model from now on."""
        if model is self._model:
            return
        self._flush()
        self._publish()
        self._replaced, self._model = self._model, model
        former = self._counts.model
        if former is None or former.description.digest != model.description.digest:
            self._counts.last_swap = time.time()
        if former is not None:
            model.inherit(former)
        self._counts.model = model.snapshot()
        self._is_published = False

    def watch(
        self, shadow: "Side[ShadowSnapshot] | None", canary: "Side[CanarySnapshot] | None"
    ) -> None:
        """Count the rows of a shadow and of a canary from now on, beside those of the champion."""
        if shadow:
            shadow.inherit(self._counts.shadow)
        if canary:
            canary.inherit(self._counts.canary)
        self._shadow, self._canary = shadow, canary

    def count_swap(self, result: SwapResult) -> None:
        """Count a hot swap, or an attempt."""
        self._counts.swaps[result] = self._counts.swaps.get(result, 0) + 1
        self._is_published = False

    def watch_log(self, log: str, writer: BackgroundWriter[Any]) -> None:
        """Count the lines of a log from now on."""
        former = {result: self._counts.log_lines.get((log, result), 0) for result in LineResult}
        self._logs[log] = (writer, former)

    def count_golden_failure(self) -> None:
        """Count a champion that does not repeat its golden rows."""
        self._counts.golden_failures += 1
        self._is_published = False

    def set_degraded(self, *, degraded: bool) -> None:
        """Set True if the newest champion is not served."""
        if degraded != self._counts.degraded:
            self._counts.degraded = degraded
            self._is_published = False

    def count_shed(self, method: str, handler: str) -> None:
        """Count a request that was refused because of overload, with status 503."""
        self._counts.shed += 1
        self.requests.add((method, handler, 503, 0.0))

    def snapshots(self) -> Sequence[Snapshot]:
        """Return the counts of all workers.

        The counts that are returned here are never ahead of the file that other workers read:
        otherwise, the next scrape, of another worker, could find smaller counts.
        """
        self._flush()
        self._publish()
        return [self._counts, *self._others()]

    def _others(self) -> Iterator[Snapshot]:
        if self._directory is None:
            return
        for path in self._directory.glob(f"{_PREFIX}*"):
            if path != self._path and (snapshot := read_snapshot(path)):
                yield snapshot

    def _flush(self) -> None:
        """Count what requests have added."""
        predictions = sum(each.flush() for each in (self._replaced, self._model) if each)
        requests = self.requests.flush()
        self._counts.predictions += predictions
        is_new = bool(predictions or requests)
        if self._shadow:
            former, self._counts.shadow = self._counts.shadow, self._shadow.snapshot()
            is_new |= former != self._counts.shadow
        if self._canary:
            self._counts.canary = self._canary.snapshot()
        lines = dict(self._log_lines())
        is_new |= lines != self._counts.log_lines
        self._counts.log_lines = lines
        self._is_published &= not is_new

    def _log_lines(self) -> Iterator[tuple[tuple[str, str], int]]:
        for log, (writer, former) in self._logs.items():
            for result, number in writer.lines.items():
                yield (log, result), former[result] + number

    def _publish(self) -> None:
        """Write the counts for the other workers."""
        if self._is_published:
            return
        self._counts.requests = self.requests.series
        if self._model:
            self._counts.model = self._model.snapshot()
        if self._path:
            self._write(self._path)
        self._is_published = True

    def _write(self, path: Path) -> None:
        try:
            write_snapshot(path, self._counts)
        except OSError as error:
            if not self._write_failed:
                _log.warning("other workers do not see the counts of this one: %s", error)
            self._write_failed = True
        else:
            self._write_failed = False


def out_of_range_of(digest: str, snapshots: Iterable[Snapshot]) -> list[int]:
    """Return the number of values out of range of each feature of a served model.

    Args:
        digest: Digest of the bundle.
        snapshots: Counts of all workers.
    """
    counts = [
        snapshot.model.out_of_range
        for snapshot in snapshots
        if snapshot.model and snapshot.model.description.digest == digest
    ]
    total: list[int] = np.sum(counts, axis=0).tolist() if counts else []
    return total
