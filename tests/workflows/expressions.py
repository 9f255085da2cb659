"""The expressions of GitHub Actions that the workflows use, evaluated with given values."""

import re
from collections.abc import Mapping

_EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")
_COMPARISON = re.compile(r"([\w.]+) (==|!=) '([^']*)'")
_ALTERNATIVES = re.compile(r" \|\| ")


def expand(text: object, values: Mapping[str, str]) -> str:
    """Return a text with its expressions replaced by their values."""
    return _EXPRESSION.sub(lambda match: _first_value(match[1], values), str(text))


def holds(condition: str, values: Mapping[str, str]) -> bool:
    """Return True if a job or a step with this condition runs after successful steps."""
    if condition in {"", "always()"}:
        return True
    if condition == "failure()":
        return False
    return any(_compare(part, values) for part in _ALTERNATIVES.split(condition))


def _compare(comparison: str, values: Mapping[str, str]) -> bool:
    match = _COMPARISON.fullmatch(comparison)
    assert match, comparison
    name, operator, literal = match.groups()
    return (_value(name, values) == literal) is (operator == "==")


def _first_value(expression: str, values: Mapping[str, str]) -> str:
    alternatives = (_value(term, values) for term in _ALTERNATIVES.split(expression))
    return next(filter(None, alternatives), "")


def _value(term: str, values: Mapping[str, str]) -> str:
    if term.startswith("'"):
        return term.strip("'")
    # Unset variables, secrets and outputs are empty on GitHub. Other names have to be known.
    may_be_unset = term.startswith(("vars.", "secrets.")) or ".outputs." in term
    return values.get(term, "") if may_be_unset else values[term]
