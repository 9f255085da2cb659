"""The store poller: finds new champions, loads and checks them, and swaps them in."""

import asyncio
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count

from housectl.contract.history import HistoryEntry, override_of
from housectl.contract.scorer import GoldenRowsError
from housectl.deadline import call_in_thread
from housectl.errors import HistoryError, HousectlError, LocalEnvironmentError
from housectl.store.base import ChampionStore
from housectl_server.following.hot_swap import HotSwapApp
from housectl_server.following.thread_results import awaitable
from housectl_server.model.served_model import ServedModel
from housectl_server.monitoring.model_counts import ModelCounts
from housectl_server.monitoring.monitor import Monitor, SwapResult
from housectl_server.monitoring.prediction_log import PredictionLog
from housectl_server.page.model_report import describe_model
from housectl_server.page.promotion import read_promotion
from housectl_server.state import Champion, ServingState

LOOK_DEADLINE_SECONDS = 10.0

_MIN_BACKOFF_SECONDS = 0.5
_MAX_BACKOFF_SECONDS = 30.0

_log = logging.getLogger(__name__)


def load_champion(
    store: ChampionStore,
    history: Sequence[HistoryEntry],
    prediction_log: PredictionLog | None = None,
) -> Champion:
    """Load the bundle of the newest history entry.

    Args:
        store: The store of the champions.
        history: Its history, with one entry at least.
        prediction_log: Logs the predictions; None to log nothing.

    Raises:
        BundleError: The bundle is missing or altered, or its prediction for a golden row differs.
        NewerFormatError: A newer housectl wrote the bundle.
    """
    entry = history[-1]
    bundle = store.bundle(entry.bundle)
    counts = ModelCounts(bundle, number=entry.number)
    promotion = read_promotion(store, history)
    now = datetime.now(UTC).isoformat()
    report = describe_model(bundle, promotion, history, serving_since=now)
    return Champion(
        entry=entry,
        model=ServedModel(
            bundle,
            record=counts.record,
            log=prediction_log.of_bundle(bundle) if prediction_log else None,
        ),
        counts=counts,
        serving_since=now,
        report=report.model_dump_json().encode(),
        override=override_of(entry.bundle, history),
    )


@dataclass(frozen=True)
class _Look:
    """The outcome of one look at the store: the state to serve, or the error.

    Attributes:
        number: Looks have ascending numbers in the order of their starts.
        newest: Number of the newest known history entry; 0 without one.
        revision: Revision of the history at the start; None if it cannot be read.
    """

    number: int
    newest: int
    revision: object = None
    state: ServingState | None = None
    error: Exception | None = None


class StorePoller:
    """Polls the history for a new champion.

    Volumes of several machines do not report changes, so the store cannot be watched. A look at the
    store runs in a thread, because a volume can hang. A look that hangs is left behind, and another
    one starts after twice the pause: the volume may have been mounted again.

    Args:
        store: The store of the champions.
        hot_swap: The application that serves the champion.
        monitor: Counts hot swaps.
        prediction_log: Logs the predictions; None to log nothing.
        interval: Seconds between two looks.
    """

    def __init__(
        self,
        store: ChampionStore,
        hot_swap: HotSwapApp,
        monitor: Monitor,
        prediction_log: PredictionLog | None,
        *,
        interval: float,
    ) -> None:
        self._store = store
        self._hot_swap = hot_swap
        self._monitor = monitor
        self._prediction_log = prediction_log
        self._interval = interval
        self._numbers = count(1)
        champion = hot_swap.state.champion
        self._last = _Look(number=0, newest=champion.number if champion else 0)
        self._failures = 0
        self._retry_at = 0.0

    async def run(self) -> None:
        """Poll until cancelled."""
        looks: set[asyncio.Future[_Look]] = set()
        while True:
            await asyncio.sleep(self._interval)
            looks.add(awaitable(call_in_thread(self._look)))
            done, looks = await asyncio.wait(
                looks,
                timeout=LOOK_DEADLINE_SECONDS * 2 ** (len(looks) - 1),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not done:
                self._reject(_no_response(self._store))
                self._retry_at = 0.0
            for look in done:
                self._apply(look.result())

    def _look(self) -> _Look:
        """Look at the store once; a thread runs this."""
        look = _Look(number=next(self._numbers), newest=self._last.newest)
        try:
            look = replace(look, revision=self._store.history_revision(look.newest))
            if look.revision == self._last.revision and time.monotonic() < self._retry_at:
                return look
            history = self._store.history()
            look = replace(look, newest=len(history))
            return replace(look, state=self._newest_state(history))
        except Exception as error:  # noqa: BLE001  # after any error, the old model stays in service
            return replace(look, error=error)

    def _newest_state(self, history: Sequence[HistoryEntry]) -> ServingState:
        """Return the state that serves the newest champion."""
        served = self._hot_swap.state.champion
        if served and not history:
            raise HistoryError(
                f"The store {self._store.location()} has no history any more.",
                hint="housectl doctor   # checks the store",
            )
        if not history or (served and served.entry == history[-1]):
            return self._hot_swap.recovered()
        return self._hot_swap.prepare(load_champion(self._store, history, self._prediction_log))

    def _apply(self, look: _Look) -> None:
        if look.number < self._last.number:
            return  # It was left behind, and a later look has finished.
        self._last = look
        if look.error is not None:
            self._reject(look.error)
            self._count_failure(look)
            # The bundle may be copied after its entry, so the same entry is retried.
            backoff = min(_MIN_BACKOFF_SECONDS * 2**self._failures, _MAX_BACKOFF_SECONDS)
            self._failures += 1
            self._retry_at = time.monotonic() + backoff
        elif look.state is not None:
            self._serve(look.state)
            self._failures = 0
            self._retry_at = math.inf

    def _serve(self, state: ServingState) -> None:
        is_new = state.champion is not self._hot_swap.state.champion
        self._hot_swap.switch(state)
        if is_new:
            self._monitor.count_swap(SwapResult.SUCCESS)
            _log.info("now serving %s", state.champion)

    def _count_failure(self, look: _Look) -> None:
        """Count a failed swap, unless the store itself failed, before a newer champion was seen."""
        served = self._hot_swap.state.champion
        if look.newest > (served.number if served else 0):
            self._monitor.count_swap(SwapResult.FAILURE)
        if isinstance(look.error, GoldenRowsError):
            self._monitor.count_golden_failure()

    def _reject(self, error: Exception) -> None:
        reason = _reason(error)
        if reason != self._hot_swap.state.reason:
            is_expected = isinstance(error, HousectlError)
            _log.warning(
                "the newest champion cannot be served: %s",
                reason,
                exc_info=None if is_expected else error,
            )
        self._hot_swap.reject(reason)


def _no_response(store: ChampionStore) -> HousectlError:
    return LocalEnvironmentError(
        f"The store does not respond: {store.location()} gave no answer in "
        f"{LOOK_DEADLINE_SECONDS:g} seconds.",
        hint="housectl doctor   # checks the store",
    )


def _reason(error: Exception) -> str:
    if isinstance(error, HousectlError):
        return f"{error.message} Hint: {error.hint}"
    return f"{type(error).__name__}: {error}"
