"""Rules for the type of a column. The first rule that applies decides."""

import math
import re
from collections.abc import Callable
from dataclasses import replace

from housectl.contract.cells import read_text
from housectl.contract.column_types import ISO_8601, Boolean, Datetime
from housectl.scaffold.columns.choice import (
    ColumnChoice,
    ColumnRange,
    ExclusionChoice,
    FeatureChoice,
)
from housectl.scaffold.columns.date_formats import DateFormats, detect_date_formats
from housectl.scaffold.columns.number_rules import number_choice
from housectl.scaffold.columns.personal_data import personal_data
from housectl.scaffold.columns.profile import ColumnProfile
from housectl.scaffold.columns.text_rules import TEXT_RULES

Rule = Callable[[ColumnProfile], ColumnChoice | None]

_BOOLEAN_WORDS = (
    *({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"}),
    *({"true", "false", "1", "0"}, {"yes", "no", "1", "0"}),
)
_DIGITS = {"0", "1"}
_MAX_SPELLINGS = 12
_INDEX_NAME = re.compile(r"(?i)|unnamed: ?\d+|row[._ ]?(names?|num(ber)?)|index")
_EIGHT_DIGITS = re.compile(r"(1[89]|20)\d{6}")
_MOSTLY = 0.5


def choose_type(profile: ColumnProfile) -> ColumnChoice:
    """Return the choice for a column."""
    choice = next(choice for rule in RULES if (choice := rule(profile)))
    if isinstance(choice, ExclusionChoice) or not profile.missing:
        return choice
    missing = f"{profile.missing} of {len(profile.cells)} cells are missing"
    return replace(choice, reason=f"{choice.reason}; {missing}")


def _index(profile: ColumnProfile) -> ColumnChoice | None:
    if not (_INDEX_NAME.fullmatch(profile.name) and profile.is_unique and profile.counts):
        return None
    return ExclusionChoice(kind="index", reason="the name and the unique values of an index")


def _no_values(profile: ColumnProfile) -> ColumnChoice | None:
    if profile.counts:
        return None
    return ExclusionChoice(kind="no values", reason="all cells are missing")


def _constant(profile: ColumnProfile) -> ColumnChoice | None:
    if not _is_constant(profile) or (profile.missing and not profile.is_numeric):
        return None
    return ExclusionChoice(kind="constant", reason="all cells that are not missing are equal")


def _is_constant(profile: ColumnProfile) -> bool:
    if not profile.is_numeric or math.isinf(profile.magnitude):
        return len(profile.counts) <= 1
    # The numbers 0.0 and -0.0 are equal.
    return profile.minimum == profile.maximum


def _boolean(profile: ColumnProfile) -> ColumnChoice | None:
    if len(profile.counts) > _MAX_SPELLINGS:
        return None
    words = {text.lower() for text in profile.counts}
    if words <= _DIGITS or not any(words <= pair for pair in _BOOLEAN_WORDS):
        return None
    shown = " and ".join(sorted(profile.counts)[:2])
    return FeatureChoice(
        type=Boolean(nullable=profile.missing > 0),
        range=ColumnRange(minimum=0.0, maximum=1.0),
        reason=f"all texts mean true or false, such as {shown}",
    )


def _eight_digit_date(profile: ColumnProfile) -> ColumnChoice | None:
    if not all(map(_EIGHT_DIGITS.fullmatch, profile.counts)):
        return None
    return _date(profile)


def _date(profile: ColumnProfile) -> ColumnChoice | None:
    in_order = [text for text in profile.cells if text in profile.counts]
    formats = detect_date_formats(profile.counts, in_order=in_order)
    return None if formats is None else _date_feature(profile, formats)


def _date_feature(profile: ColumnProfile, formats: DateFormats) -> FeatureChoice:
    column = Datetime(format=formats.formats[0], nullable=profile.missing > 0)
    moments = {read_text(column, text): text for text in profile.counts}
    low, high = moments[min(moments)], moments[max(moments)]
    return FeatureChoice(
        type=column,
        range=ColumnRange(minimum=min(moments), maximum=max(moments)),
        reason=f"{_form(column)}, from {low} to {high}",
        notes=_order_notes(profile.name, formats),
    )


def _form(column: Datetime) -> str:
    return "ISO 8601 dates" if column.format == ISO_8601 else f"dates in the format {column.format}"


def _order_notes(name: str, formats: DateFormats) -> tuple[str, ...]:
    if not formats.is_ambiguous:
        return ()
    best, other = formats.formats[:2]
    note = f'{name} was read as "{best}", but its dates also fit "{other}"; check its `format:`.'
    return (note,)


def _mostly_numbers(profile: ColumnProfile) -> ColumnChoice | None:
    numbers = sum(profile.counts[text] for text in profile.numbers)
    if profile.is_numeric or numbers <= _MOSTLY * profile.present:
        return None
    line = profile.first_line(profile.counts.keys() - profile.numbers.keys())
    note = (
        f"{profile.name} can be used: correct the text in line {line}, or list it under "
        "`csv: {missing: …}` and move the column to `features:`."
    )
    return ExclusionChoice(
        kind="numbers and text",
        reason=f"{numbers} cells are numbers, and {profile.present - numbers} are text, the "
        f"first in line {line}",
        notes=(note,),
    )


def _other_notation(profile: ColumnProfile) -> ColumnChoice | None:
    if not all(map(_is_number_in_python, profile.counts)):
        return None
    return ExclusionChoice(
        kind="numbers in another notation",
        reason="hexadecimal numbers, digits of another script, or underscores between digits",
        notes=(f"{profile.name} can be used: write its numbers in decimal digits.",),
    )


def _is_number_in_python(text: str) -> bool:
    try:
        return int(text, base=0) is not None
    except ValueError:
        return False


RULES: tuple[Rule, ...] = (
    *(_no_values, _index, personal_data, _constant, _boolean, _eight_digit_date, number_choice),
    *(_date, _mostly_numbers, _other_notation),
    *TEXT_RULES,
)
