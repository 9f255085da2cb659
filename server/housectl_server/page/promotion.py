"""The promotion of a champion: its verdict, and the errors that the verdict compared."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import structs

from housectl.contract.evidence import Evidence, HoldoutErrors, evidence_key
from housectl.contract.history import Action, HistoryEntry
from housectl.errors import EvidenceError
from housectl.store.base import ChampionStore


@dataclass(frozen=True, kw_only=True)
class Competitor:
    """A model that a champion was compared with.

    Attributes:
        name: Name for readers.
        champion: Number of its history entry, if it was the champion before.
    """

    name: str
    champion: int | None = None
    errors: HoldoutErrors


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """The promotion of a bundle. A rollback to the bundle restores its result.

    Attributes:
        entry: History entry of the promotion.
        errors: Errors of the bundle on the held-out rows; None if the store has no evidence.
        competitors: Models with errors on the same rows.
    """

    entry: HistoryEntry
    errors: HoldoutErrors | None = None
    competitors: tuple[Competitor, ...] = ()


def read_promotion(store: ChampionStore, history: Sequence[HistoryEntry]) -> Promotion:
    """Return the promotion of the newest champion.

    Missing or invalid evidence leaves errors out, because a model serves without it.
    """
    entry = _promotion_of(history[-1], history)
    evidence = _read_evidence(store, entry.bundle)
    if evidence is None:
        return Promotion(entry=entry)
    baselines = (
        Competitor(name="linear model", errors=evidence.holdout_errors(evidence.linear)),
        Competitor(name="mean of the targets", errors=evidence.holdout_errors(evidence.mean)),
    )
    former = _former_champion(store, evidence, history[: entry.number - 1])
    return Promotion(entry=entry, errors=evidence.model_errors, competitors=(*former, *baselines))


def _promotion_of(entry: HistoryEntry, history: Sequence[HistoryEntry]) -> HistoryEntry:
    """Return the last promotion of an entry's bundle."""
    promotions = (
        each
        for each in reversed(history)
        if each.bundle == entry.bundle and each.action is Action.PROMOTION
    )
    return next(promotions, entry)


def _former_champion(
    store: ChampionStore, evidence: Evidence, history: Sequence[HistoryEntry]
) -> tuple[Competitor, ...]:
    """Return the champion before, with its errors on the rows of the evidence; none without it."""
    if not history or history[-1].bundle == evidence.bundle:
        return ()
    former = history[-1]
    measured = _read_evidence(store, former.bundle)
    if measured is None:
        return ()
    own = measured.recipe
    # Other data or libraries: the gate measured the former recipe with those of the challenger.
    recipe = structs.replace(evidence.recipe, family=own.family, assignment=own.assignment)
    if recipe != own:
        measured = _read_evidence(store, evidence_key(recipe))
    if measured is None or measured.holdout_rows != evidence.holdout_rows:
        return ()
    competitor = Competitor(
        name=f"champion {former.number}", champion=former.number, errors=measured.model_errors
    )
    return (competitor,)


def _read_evidence(store: ChampionStore, name: str) -> Evidence | None:
    try:
        return store.evidence(name)
    except EvidenceError:
        return None
