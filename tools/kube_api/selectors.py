"""Label and field selectors, as far as housectl uses them."""

import re
from collections.abc import Mapping

_SET = re.compile(r"(?P<key>\S+) in \((?P<values>[^)]*)\)")
# Commas within parentheses separate values, not requirements.
_SEPARATOR = re.compile(r",(?![^(]*\))")
_DEFAULTS = {"status.successful": ("status.succeeded", "0")}


def labels_match(item: Mapping[str, object], selector: str) -> bool:
    """Return True if a label selector selects an object."""
    labels = {key: str(value) for key, value in _section(item, "metadata.labels").items()}
    return all(_label_matches(labels, part) for part in _SEPARATOR.split(selector) if part)


def fields_match(item: Mapping[str, object], selector: str) -> bool:
    """Return True if a field selector selects an object."""
    return all(_field_matches(item, part) for part in selector.split(",") if part)


def _label_matches(labels: Mapping[str, str], requirement: str) -> bool:
    if match := _SET.fullmatch(requirement):
        return labels.get(match["key"]) in match["values"].split(",")
    if requirement.startswith("!"):
        return requirement[1:] not in labels
    key, equals, value = requirement.partition("=")
    return labels.get(key) == value if equals else key in labels


def _field_matches(item: Mapping[str, object], requirement: str) -> bool:
    path, _, value = requirement.replace("!=", "=").partition("=")
    source, default = _DEFAULTS.get(path, (path, ""))
    section, _, key = source.rpartition(".")
    actual = str(_section(item, section).get(key, default))
    return (actual == value) is ("!=" not in requirement)


def _section(item: Mapping[str, object], path: str) -> Mapping[str, object]:
    section: object = item
    for key in filter(None, path.split(".")):
        section = section.get(key, {}) if isinstance(section, Mapping) else {}
    return section if isinstance(section, Mapping) else {}
