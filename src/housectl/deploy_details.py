"""deploy_details.json: the result of the last verdict, for tools that read it."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import UNSET, UnsetType

from housectl.contract.bundle import Bundle
from housectl.contract.bundle_record import SHORT_DIGEST
from housectl.contract.files import atomic_write
from housectl.contract.history import HistoryEntry, override_of
from housectl.contract.record import MalformedRecordError, Record
from housectl.contract.regular_files import read_regular
from housectl.store.base import ChampionStore


class ModelReference(Record, kw_only=True):
    """One model.

    Attributes:
        mse: MSE on the held-out rows.
        version: First 12 digits of the bundle's digest.
        uri: URI of the bundle.
        override: Reason with which it was promoted against the verdict; unset for other models.
    """

    mse: float
    version: str
    uri: str
    override: str | UnsetType = UNSET


class DeployDetails(Record, kw_only=True):
    """The previous champion, the judged model, and the current champion."""

    old_model: ModelReference | None
    new_model: ModelReference | None
    prod_model: ModelReference | None


def record_rejection(
    path: Path, store: ChampionStore, rejected: Bundle, *, history: Sequence[HistoryEntry]
) -> None:
    """Write the result of a verdict that rejects a challenger and keeps the champion, if any."""
    kept_model = _reference(store, history) if history else None
    rejected_model = ModelReference(
        mse=rejected.holdout_mse,
        version=rejected.version,
        uri=store.bundle_uri(rejected.digest),
    )
    _write(
        path, DeployDetails(old_model=kept_model, new_model=rejected_model, prod_model=kept_model)
    )


def sync(path: Path, store: ChampionStore, history: Sequence[HistoryEntry]) -> None:
    """Update the file from the history, unless it names the champion already.

    Each promotion calls this, and so do later commands, because a promotion can be killed first.
    """
    if not history:
        return
    champion = _reference(store, history)
    if _recorded_champion(path) != champion.version:
        previous = _reference(store, history[:-1]) if history[1:] else None
        _write(path, DeployDetails(old_model=previous, new_model=champion, prod_model=champion))


def _recorded_champion(path: Path) -> str | None:
    try:
        champion = DeployDetails.from_json(read_regular(path)).prod_model
    except (OSError, MalformedRecordError):
        return None
    return champion.version if champion else None


def _reference(store: ChampionStore, history: Sequence[HistoryEntry]) -> ModelReference:
    """Return the reference of a history's champion."""
    entry = history[-1]
    return ModelReference(
        mse=entry.holdout_mse,
        version=entry.bundle[:SHORT_DIGEST],
        uri=store.bundle_uri(entry.bundle),
        override=override_of(entry.bundle, history) or UNSET,
    )


def _write(path: Path, details: DeployDetails) -> None:
    atomic_write(path, details.to_json())
