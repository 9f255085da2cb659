"""The shadow and the canary of a server, as they follow promotions."""

import logging
from dataclasses import dataclass

from housectl.contract.bundle import Bundle
from housectl.store.base import ChampionStore
from housectl_server.monitoring.model_counts import ModelCounts
from housectl_server.monitoring.prediction_log import PredictionLog
from housectl_server.settings import Settings
from housectl_server.versions.canary import Canary, Split
from housectl_server.versions.eligibility import Eligibility
from housectl_server.versions.shadow import Shadow

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SideVersions:
    """Versions that run beside the champion; None for those that a server does not have."""

    shadow: Shadow | None = None
    canary: Canary | None = None

    def follow(self, champion: Bundle | None, counts: ModelCounts | None) -> None:
        """Run beside another champion from now on, and log each change.

        Args:
            champion: The champion; None without one.
            counts: Counts of its predictions.
        """
        if shadow := self.shadow:
            before = shadow.eligibility
            shadow.follow(champion, counts)
            _log_change("shadow", shadow.bundle, before, shadow.eligibility)
        if canary := self.canary:
            before = canary.eligibility
            canary.follow(champion)
            _log_change("canary", canary.bundle, before, canary.eligibility)

    def log(self) -> None:
        """Log the states."""
        for role, each in (("shadow", self.shadow), ("canary", self.canary)):
            if each:
                _log_state(role, each.bundle, each.eligibility)

    def close(self) -> None:
        """End the comparison."""
        if self.shadow:
            self.shadow.close()


def load_side_versions(
    store: ChampionStore, settings: Settings, prediction_log: PredictionLog | None
) -> SideVersions:
    """Load the versions that the settings name.

    Args:
        store: The store of the bundles.
        settings: Settings of the process.
        prediction_log: Logs the predictions of a canary; None to log nothing.

    Raises:
        UsageError: The store has no such version, or several.
        BundleError: A bundle is altered, or its prediction for a golden row differs.
    """
    shadow, canary = settings.shadow, settings.canary
    split = Split(percent=settings.canary_percent, header=settings.canary_header)
    return SideVersions(
        shadow=Shadow(store.bundle(store.find_bundle(shadow))) if shadow else None,
        canary=_load_canary(store, canary, split, prediction_log) if canary else None,
    )


def _load_canary(
    store: ChampionStore, version: str, split: Split, prediction_log: PredictionLog | None
) -> Canary:
    bundle = store.bundle(store.find_bundle(version))
    return Canary(bundle, split, log=prediction_log.of_bundle(bundle) if prediction_log else None)


def _log_change(role: str, bundle: Bundle, before: Eligibility, now: Eligibility) -> None:
    if now != before:
        _log_state(role, bundle, now)


def _log_state(role: str, bundle: Bundle, now: Eligibility) -> None:
    if now.is_active:
        _log.info("the %s %s is active", role, bundle.version)
    else:
        _log.info("the %s %s is not active: %s", role, bundle.version, now.reason)
