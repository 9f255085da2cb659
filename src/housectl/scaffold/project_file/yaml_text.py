"""Values as YAML that versions 1.1 and 1.2 read alike."""

import re
import sys
from collections.abc import Mapping, Sequence

_PLAIN_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_MAX_EXACT_INTEGER = 1e15


def yaml_mapping(values: Mapping[str, object]) -> str:
    """Return a mapping in one line."""
    return "{" + ", ".join(f"{name}: {yaml_value(each)}" for name, each in values.items()) + "}"


def yaml_value(value: object) -> str:
    """Return a value of a mapping: a list of texts, a boolean, a number or a text."""
    if isinstance(value, list | tuple):
        return yaml_list(value)
    if isinstance(value, bool):
        return str(value).lower()
    return yaml_number(value) if isinstance(value, int | float) else yaml_scalar(str(value))


def yaml_list(values: Sequence[str]) -> str:
    """Return a list of texts in one line."""
    return f"[{', '.join(map(yaml_scalar, values))}]"


def yaml_number(value: float) -> str:
    """Return a number; a whole number has no decimal point."""
    return (
        str(int(value)) if value == int(value) and abs(value) < _MAX_EXACT_INTEGER else repr(value)
    )


def yaml_scalar(text: str) -> str:
    """Return a text as a scalar, with quotes only if necessary."""
    import yaml

    if _PLAIN_WORD.fullmatch(text) and yaml.safe_load(text) == text:
        return text
    # Not safe_dump: Hera changes its style of texts for a whole process.
    node = yaml.ScalarNode("tag:yaml.org,2002:str", text, style='"')
    dumped: str = yaml.serialize(
        node, Dumper=yaml.SafeDumper, allow_unicode=True, width=sys.maxsize
    )
    return dumped.rstrip()
