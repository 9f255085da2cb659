"""The store poller: finds new champions, loads and checks them, and swaps them in."""

import asyncio
import logging
import time
from datetime import UTC, datetime

from housectl.errors import HousectlError
from housectl.store.base import ChampionStore
from housectl_server.hot_swap import HotSwapApp
from housectl_server.inference import ServedModel
from housectl_server.state import Champion

POLL_INTERVAL_SECONDS = 0.25

_MIN_BACKOFF_SECONDS = 0.5
_MAX_BACKOFF_SECONDS = 30.0

_log = logging.getLogger(__name__)


def load_champion(store: ChampionStore, number: int) -> Champion:
    """Load the bundle of a history entry.

    Raises:
        HistoryError: The entry is missing or invalid.
        BundleError: The bundle is missing or altered, or its prediction for a golden row differs.
        NewerFormatError: A newer housectl wrote the entry or the bundle.
    """
    model = ServedModel(store.bundle(store.entry(number).bundle))
    return Champion(number=number, model=model, serving_since=datetime.now(UTC).isoformat())


class StorePoller:
    """Polls the history for a new champion, with one stat per interval.

    Volumes of several machines do not report changes, so the store cannot be watched.
    """

    def __init__(self, store: ChampionStore, hot_swap: HotSwapApp) -> None:
        self._store = store
        self._hot_swap = hot_swap
        self._newest = self._served
        self._failures = 0
        self._retry_at = 0.0

    async def run(self) -> None:
        """Poll until cancelled. A thread accesses the store, because a volume can hang."""
        while True:
            await asyncio.sleep(POLL_INTERVAL_SECONDS)
            try:
                await asyncio.to_thread(self._poll_once)
            except Exception as error:  # noqa: BLE001  # after any error, the old model stays in service
                self._on_load_error(error)

    @property
    def _served(self) -> int:
        champion = self._hot_swap.state.champion
        return champion.number if champion else 0

    def _poll_once(self) -> None:
        number = self._store.newest_number(at_least=self._newest)
        if number == self._newest and time.monotonic() < self._retry_at:
            return
        self._newest = number
        if number != self._served:
            self._hot_swap.swap(load_champion(self._store, number))
            _log.info("now serving %s", self._hot_swap.state.champion)
        elif self._failures:
            self._hot_swap.recover()
        self._failures = 0

    def _on_load_error(self, error: Exception) -> None:
        reason = _reason(error)
        if reason != self._hot_swap.state.reason:
            is_expected = isinstance(error, HousectlError)
            _log.warning(
                "champion %d cannot be served: %s",
                self._newest,
                reason,
                exc_info=None if is_expected else error,
            )
        self._hot_swap.reject(reason)
        # The bundle may be copied after its entry, so the same entry is retried.
        backoff = min(_MIN_BACKOFF_SECONDS * 2**self._failures, _MAX_BACKOFF_SECONDS)
        self._failures += 1
        self._retry_at = time.monotonic() + backoff


def _reason(error: Exception) -> str:
    if isinstance(error, HousectlError):
        return f"{error.message} Hint: {error.hint}"
    return f"{type(error).__name__}: {error}"
