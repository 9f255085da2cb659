"""Rules for columns of text: categories, identifiers and free text."""

from collections import Counter
from collections.abc import Mapping

from housectl.contract.column_types import (
    MAX_LEVELS,
    MAX_TEXT_LENGTH,
    Category,
    UnknownLevels,
)
from housectl.scaffold.columns.choice import (
    ColumnChoice,
    ColumnRange,
    ExclusionChoice,
    FeatureChoice,
)
from housectl.scaffold.columns.profile import ColumnProfile

# A text in few rows teaches a model little, and may identify a person.
_MIN_ROWS_PER_LEVEL = 5
_MAX_DISTINCT = 0.5
_MANY_WORDS = 4
_SHOWN_LEVELS = 3


def _own_text(profile: ColumnProfile) -> ColumnChoice | None:
    """Exclude a column in which nearly every row has its own text."""
    distinct, rows = len(profile.counts), profile.present
    longest = _longest(profile.counts)
    if longest > MAX_TEXT_LENGTH:
        reason = f"a text has {longest} characters, and a level at most {MAX_TEXT_LENGTH}"
        return ExclusionChoice(kind="free text", reason=reason)
    if distinct <= max(_MAX_DISTINCT * rows, 2):
        return None
    kind = "free text" if _words_per_text(profile.counts) >= _MANY_WORDS else "identifier"
    return ExclusionChoice(kind=kind, reason=f"{distinct} different texts in {rows} rows")


def _category(profile: ColumnProfile) -> ColumnChoice | None:
    if len(profile.counts) > MAX_LEVELS:
        return None
    return _feature(profile, tuple(sorted(profile.counts)), UnknownLevels.MISSING)


def _grouped_category(profile: ColumnProfile) -> ColumnChoice | None:
    frequent = Counter(profile.counts).most_common(MAX_LEVELS)
    levels = tuple(sorted(text for text, rows in frequent if rows >= _MIN_ROWS_PER_LEVEL))
    if not levels:
        return None
    others = len(profile.counts) - len(levels)
    covered = sum(profile.counts[level] for level in levels) / profile.present
    return _feature(
        profile,
        levels,
        UnknownLevels.GROUP,
        f"{profile.name} has {len(profile.counts)} different texts; the {len(levels)} most "
        f"frequent ones, {covered:.0%} of the rows, are its levels, and the other {others} "
        "form one group.",
    )


def _rare_texts(profile: ColumnProfile) -> ColumnChoice:
    return ExclusionChoice(
        kind="rare texts",
        reason=f"none of {len(profile.counts)} different texts is in {_MIN_ROWS_PER_LEVEL} rows",
    )


def _feature(
    profile: ColumnProfile, levels: tuple[str, ...], unknown_levels: UnknownLevels, *notes: str
) -> FeatureChoice:
    column = Category(levels=levels, unknown_levels=unknown_levels, nullable=profile.missing > 0)
    return FeatureChoice(
        type=column,
        range=ColumnRange(minimum=0.0, maximum=column.codes - 1.0),
        reason=_reason(profile, levels),
        notes=(*notes, *_spelling_notes(profile)),
    )


def _reason(profile: ColumnProfile, levels: tuple[str, ...]) -> str:
    shown = ", ".join(levels[:_SHOWN_LEVELS]) + (", …" if len(levels) > _SHOWN_LEVELS else "")
    what = "codes with leading zeros" if profile.is_numeric else "different texts"
    return f"{len(profile.counts)} {what}, which are published: {shown}"


def _spelling_notes(profile: ColumnProfile) -> tuple[str, ...]:
    spellings: dict[str, list[str]] = {}
    for text in sorted(profile.counts):
        spellings.setdefault(" ".join(text.lower().split()), []).append(text)
    pairs = [f"{texts[0]!r} and {texts[1]!r}" for texts in spellings.values() if texts[1:]]
    if not pairs:
        return ()
    note = (
        f"{profile.name} has levels that differ only in case or spaces, such as {pairs[0]}; if "
        "they mean the same, correct the data."
    )
    return (note,)


def _longest(counts: Mapping[str, int]) -> int:
    return max(map(len, counts))


def _words_per_text(counts: Mapping[str, int]) -> float:
    return sum(len(text.split()) for text in counts) / len(counts)


TEXT_RULES = (_own_text, _category, _grouped_category, _rare_texts)
