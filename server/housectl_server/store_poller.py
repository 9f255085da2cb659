"""Following the store: what its history names champion is loaded, checked, and put on the stage."""

import asyncio
import logging
import time
from datetime import UTC, datetime
from pathlib import Path

from housectl.contract.bundle import read_bundle
from housectl.contract.history import bundle_path, newest_number, read_entry
from housectl.errors import HousectlError
from housectl_server.hot_swap import HotSwapApp
from housectl_server.inference import ServedModel
from housectl_server.state import Champion

POLL_INTERVAL_SECONDS = 0.25

_MIN_BACKOFF_SECONDS = 0.5
_MAX_BACKOFF_SECONDS = 30.0

_log = logging.getLogger(__name__)


def load_champion(store: Path, number: int) -> Champion:
    """Load the bundle that an entry of the history names.

    Raises:
        HistoryError: The entry is missing or damaged.
        BundleError: The bundle is missing, altered, or answers a golden row otherwise.
        NewerFormatError: A newer housectl wrote one of them.
    """
    entry = read_entry(store, number)
    bundle = read_bundle(bundle_path(store, entry.bundle), expected=entry.bundle)
    model = ServedModel(bundle)
    return Champion(number=number, model=model, serving_since=datetime.now(UTC).isoformat())


class StorePoller:
    """Looks for a new entry with one stat a period: volumes do not report changes."""

    def __init__(self, store: Path, stage: HotSwapApp) -> None:
        self._store = store
        self._stage = stage
        self._newest = self._served
        self._failures = 0
        self._retry_at = 0.0

    async def run(self) -> None:
        """Follow for ever. The store is only touched in a thread, as a volume may hang."""
        while True:
            await asyncio.sleep(POLL_INTERVAL_SECONDS)
            try:
                await asyncio.to_thread(self._poll_once)
            except Exception as error:  # noqa: BLE001  # come what may, the old model serves on
                self._on_load_error(error)

    @property
    def _served(self) -> int:
        champion = self._stage.state.champion
        return champion.number if champion else 0

    def _poll_once(self) -> None:
        number = newest_number(self._store, known=self._newest)
        if number == self._newest and time.monotonic() < self._retry_at:
            return
        self._newest = number
        if number != self._served:
            self._stage.swap(load_champion(self._store, number))
            _log.info("%s is served now", self._stage.state.champion)
        elif self._failures:
            self._stage.recover()
        self._failures = 0

    def _on_load_error(self, error: Exception) -> None:
        reason = _reason(error)
        if reason != self._stage.state.reason:
            planned = isinstance(error, HousectlError)
            _log.warning(
                "champion %d is refused: %s",
                self._newest,
                reason,
                exc_info=None if planned else error,
            )
        self._stage.reject(reason)
        # The bundle may still be arriving, so the same entry is tried again.
        pause = min(_MIN_BACKOFF_SECONDS * 2**self._failures, _MAX_BACKOFF_SECONDS)
        self._failures += 1
        self._retry_at = time.monotonic() + pause


def _reason(error: Exception) -> str:
    if isinstance(error, HousectlError):
        return f"{error.message} Hint: {error.hint}"
    return f"{type(error).__name__}: {error}"
