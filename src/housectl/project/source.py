"""The content of a project file with overrides; validation reports all problems in one error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from housectl.errors import HousectlError
from housectl.project.override import Override
from housectl.project.problems import (
    Location,
    describe_problem,
    override_error,
    project_error,
    shorten,
)
from housectl.project.yaml_reader import YamlReader, read_yaml

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Source:
    """The content of a YAML file, with the line of every key.

    Attributes:
        origins: Flag or variable of each overridden field.
        problems: Problems of the YAML text itself.
    """

    path: Path
    content: dict[str, object]
    lines: Mapping[Location, int]
    origins: dict[Location, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def override(self, name: str, override: Override) -> None:
        """Replace the value of the field with this dotted name."""
        *parents, last = location = tuple(name.split("."))
        content = self.content
        for parent in parents:
            inner = content.get(parent) or {}
            if not isinstance(inner, dict):
                return
            content[parent] = inner
            content = inner
        content[last] = override.value
        self.origins[location] = override.origin

    def location_of(self, location: Location) -> str:
        """Return the flag of a field, or its line, or the line of the mapping around it."""
        enclosing = [location[:length] for length in range(len(location), 0, -1)]
        origin = next((self.origins[outer] for outer in enclosing if outer in self.origins), None)
        line = next((self.lines[outer] for outer in enclosing if outer in self.lines), 1)
        return origin or f"{self.path.name}:{line}"

    def error(self, problems: Sequence[str]) -> HousectlError:
        """Return the error with these problems."""
        if self.origins:
            return override_error(self.path, [*self.origins.values()], problems)
        return project_error(self.path, problems)


def read_source(path: Path, overrides: Mapping[str, Override]) -> Source:
    """Read a YAML mapping and apply the overrides, by dotted field names.

    Raises:
        ProjectError: The file cannot be read, is not YAML, or is not a mapping.
    """
    reader = YamlReader()
    content = reader.value(read_yaml(path))
    if not isinstance(content, dict):
        raise project_error(path, [f"{path.name}:1: found {shorten(content)}, expected a mapping"])
    problems = tuple(f"{path.name}:{text}" for text in reader.repeated_keys)
    source = Source(path=path, content=content, lines=reader.lines, problems=problems)
    for name, override in overrides.items():
        source.override(name, override)
    return source


def validate(model: type[M], source: Source) -> M:
    """Return the model of the content.

    Raises:
        ProjectError: The content is invalid; lists line, field, found and expected values.
        UsageError: The content is invalid, and a flag or variable overrides a part of it.
    """
    problems = list(source.problems)
    try:
        read = model.model_validate(source.content)
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems += [describe_problem(detail, model, source.location_of) for detail in details]
        raise source.error(problems) from error
    if problems:
        raise source.error(problems)
    return read
