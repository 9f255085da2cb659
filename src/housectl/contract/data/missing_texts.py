"""Texts that stand for missing values."""

MISSING = frozenset(
    (
        *("NA", "N/A", "n/a", "NaN", "nan", "NAN", "NULL", "null", "Null", "None", "?", "-", "."),
        *("na", "<NA>", "#N/A", "#NA", "N.A.", "n.a.", "--"),
    )
)
"""Texts that stand for a missing value in each column."""

INFINITE = frozenset(f"{sign}{word}" for sign in ("", "+", "-") for word in ("inf", "infinity"))
MISSING_AMONG_NUMBERS = INFINITE | frozenset(
    (
        *("none", "missing", "unknown", "n/k", "nil", "(null)", "not available", "no data", "nd"),
        *("not applicable", "n.d.", "tbd", "..", "...", "…", "---", "*"),
        *("#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!"),
    )
)
"""Texts, in lower case, that stand for a missing value in a column of numbers.

In other columns, a word such as `unknown` may be a level.
"""
