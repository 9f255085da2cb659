"""YAML of bounded size as nodes, and the values of scalars."""

import re
from pathlib import Path
from typing import Final, cast

import yaml

_MAX_BYTES: Final = 4 * 2**20
_MAX_VALUES = 200_000
_MAX_DEPTH = 32
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INT = re.compile(r"[-+]?[0-9]{1,30}")
_FLOAT = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
# The parser in C is 20 times as fast, but its recursion has no limit.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def compose_yaml(path: Path) -> yaml.Node | None:
    """Return the root node of a YAML file in UTF-8; None if the file is empty.

    Raises:
        OSError: The file cannot be read.
        YAMLError: The file is not YAML in UTF-8, or exceeds a limit.
    """
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise yaml.YAMLError(f"it has more than {_MAX_BYTES} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise yaml.YAMLError(f"it is not UTF-8: {error}") from error
    _LimitCheck().check(text)
    node: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
    return node


def top_level_text(root: yaml.Node | None, key: str) -> str | None:
    """Return the text of a key of a mapping; None without a text that is not empty."""
    if not isinstance(root, yaml.MappingNode):
        return None
    values = {str(name.value): value for name, value in root.value}
    node = values.get(key)
    value = scalar_value(node) if isinstance(node, yaml.ScalarNode) else None
    return value or None if isinstance(value, str) else None


def scalar_value(node: yaml.ScalarNode) -> object:
    """Read a scalar as YAML 1.2 does: `NO`, `12:30` and `2026-11-24` are text, `1e-3` a number."""
    text = str(node.value)
    if node.style:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


class _LimitCheck:
    """Counts the values of a text in which each alias is replaced by its value."""

    def __init__(self) -> None:
        self._values = 0
        # Of each open collection: its anchor, and the number of values before it.
        self._open: list[tuple[str | None, int]] = []
        self._sizes: dict[str | None, int] = {}

    def check(self, text: str) -> None:
        """Check a text.

        Raises:
            MarkedYAMLError: The text is not YAML, or exceeds a limit.
        """
        for event in yaml.parse(text, Loader=_LOADER):
            self._count(event)
            if self._values > _MAX_VALUES:
                raise _limit_error(event, f"it has more than {_MAX_VALUES} values")
            if len(self._open) > _MAX_DEPTH:
                raise _limit_error(event, f"it is nested more than {_MAX_DEPTH} levels deep")

    def _count(self, event: yaml.Event) -> None:
        match event:
            case yaml.AliasEvent():
                if event.anchor in {anchor for anchor, _ in self._open}:
                    raise _limit_error(event, "infinite nesting: an alias contains itself")
                self._values += self._sizes.get(event.anchor, 0)
            case yaml.ScalarEvent():
                self._values += 1
                self._sizes[event.anchor] = 1
            case yaml.CollectionStartEvent():
                self._open.append((event.anchor, self._values))
                self._values += 1
            case yaml.CollectionEndEvent():
                anchor, before = self._open.pop()
                self._sizes[anchor] = self._values - before


def _limit_error(event: yaml.Event, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=cast("yaml.Mark", event.start_mark))
