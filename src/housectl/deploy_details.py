"""deploy_details.json: the outcome of the last verdict, for the tools that read it."""

from pathlib import Path

from housectl.contract.bundle import SHORT_DIGEST, Bundle
from housectl.contract.files import atomic_write
from housectl.contract.history import HistoryEntry, bundle_path
from housectl.contract.record import MalformedRecordError, Record
from housectl.store import ChampionStore


class ModelReference(Record, kw_only=True):
    """One model.

    Attributes:
        mse: On the held-out rows.
        version: The first 12 digits of the bundle's digest.
        uri: Where the bundle lies.
    """

    mse: float
    version: str
    uri: str


class DeployDetails(Record, kw_only=True):
    """The former champion, the model that was judged, and the champion of now."""

    old_model: ModelReference | None
    new_model: ModelReference | None
    prod_model: ModelReference | None


def record_rejection(path: Path, store: ChampionStore, refused: Bundle) -> None:
    """Write the outcome of a verdict that keeps the champion, or keeps there being none."""
    champion = store.champion()
    kept = _of_entry(store, champion) if champion else None
    refused_model = ModelReference(
        mse=refused.holdout_mse,
        version=refused.version,
        uri=bundle_path(store.path, refused.digest).absolute().as_uri(),
    )
    _write(path, DeployDetails(old_model=kept, new_model=refused_model, prod_model=kept))


def sync(path: Path, store: ChampionStore) -> None:
    """Bring the file in line with the history, unless it names the champion already.

    Called after each promotion, and by each later command in case one was killed in between.
    """
    history = store.history()
    if not history:
        return
    champion = _of_entry(store, history[-1])
    if _champion_in(path) != champion.version:
        former = _of_entry(store, history[-2]) if history[1:] else None
        _write(path, DeployDetails(old_model=former, new_model=champion, prod_model=champion))


def _champion_in(path: Path) -> str | None:
    try:
        champion = DeployDetails.from_json(path.read_bytes()).prod_model
    except (OSError, MalformedRecordError):
        return None
    return champion.version if champion else None


def _of_entry(store: ChampionStore, entry: HistoryEntry) -> ModelReference:
    return ModelReference(
        mse=entry.holdout_mse,
        version=entry.bundle[:SHORT_DIGEST],
        uri=bundle_path(store.path, entry.bundle).absolute().as_uri(),
    )


def _write(path: Path, details: DeployDetails) -> None:
    atomic_write(path, details.to_json())
