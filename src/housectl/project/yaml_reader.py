"""Reads YAML nodes as values, with the line of every key."""

import re
from pathlib import Path

import yaml

from housectl.project.problems import Location, dotted_name, project_error

_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INT = re.compile(r"[-+]?[0-9]{1,30}")
_FLOAT = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


def compose_yaml(path: Path) -> yaml.Node | None:
    """Return the root node of a YAML file; None if the file is empty.

    Raises:
        ProjectError: The file cannot be read, or is not YAML.
    """
    try:
        return yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise project_error(path, [f"cannot be read: {error.strerror}"]) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise project_error(path, [f"{path.name}:{line}: not YAML: {error.problem}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise project_error(path, [f"not YAML: {' '.join(str(error).split())}"]) from error


class YamlReader:
    """Converts YAML nodes to values, and records the line of each key."""

    def __init__(self) -> None:
        self.lines: dict[Location, int] = {}
        self.repeated_keys: list[str] = []

    def value(self, node: yaml.Node | None, location: Location = ()) -> object:
        """Return the value of a node at a location."""
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*location, index)) for index, item in enumerate(node.value)]
        return self._mapping(node, location)

    def _mapping(self, node: yaml.Node | None, location: Location) -> dict[str, object]:
        content: dict[str, object] = {}
        for key, inner in node.value if node else ():
            name, line = str(key.value), key.start_mark.line + 1
            inner_location = (*location, name)
            if name in content:
                first_line = self.lines[inner_location]
                self.repeated_keys.append(
                    f"{line}: {dotted_name(inner_location)}: found again, "
                    f"expected once (line {first_line})"
                )
            self.lines.setdefault(inner_location, line)
            content[name] = self.value(inner, inner_location)
        return content


def _scalar(node: yaml.ScalarNode) -> object:
    """Read a scalar as YAML 1.2 does: `NO`, `12:30` and `2026-11-24` are text, `1e-3` a number."""
    text = str(node.value)
    if node.style is not None:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
