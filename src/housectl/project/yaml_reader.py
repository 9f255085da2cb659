"""Reads YAML nodes as values, with the line of every key."""

from pathlib import Path

import yaml

from housectl.project.problems import Location, dotted_name, project_error
from housectl.yaml_nodes import compose_yaml, scalar_value


def read_yaml(path: Path) -> yaml.Node | None:
    """Return the root node of a YAML file; None if the file is empty.

    Raises:
        ProjectError: The file cannot be read, is not YAML, or exceeds a limit.
    """
    try:
        return compose_yaml(path)
    except OSError as error:
        raise project_error(path, [f"cannot be read: {error.strerror}"]) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise project_error(path, [f"{path.name}:{line}: not YAML: {error.problem}"]) from error
    except yaml.YAMLError as error:
        raise project_error(path, [f"not YAML: {' '.join(str(error).split())}"]) from error


class YamlReader:
    """Converts YAML nodes to values, and records the line of each key."""

    def __init__(self) -> None:
        self.lines: dict[Location, int] = {}
        self.repeated_keys: list[str] = []

    def value(self, node: yaml.Node | None, location: Location = ()) -> object:
        """Return the value of a node at a location."""
        if isinstance(node, yaml.ScalarNode):
            return scalar_value(node)
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
