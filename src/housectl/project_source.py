"""Reading YAML with its lines, and telling every problem of it in one error."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from housectl.errors import ProjectError

Location = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

_LONGEST = 60


@dataclass(frozen=True)
class Override:
    """A value from a flag or an environment variable; `origin` names which."""

    value: object
    origin: str


@dataclass(frozen=True)
class Source:
    """The content of a YAML file, with the line of every key.

    Attributes:
        origins: Where each overridden field comes from.
    """

    path: Path
    content: dict[str, object]
    lines: Mapping[Location, int]
    origins: Mapping[Location, str]


def read_source(path: Path, overrides: Mapping[str, Override]) -> Source:
    """Read a YAML mapping and put the overrides, named by dotted fields, over it.

    Raises:
        ProjectError: It cannot be read, is no YAML, no mapping, or has a key twice.
    """
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _wrong(path, [f"cannot be read: {error.strerror}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _wrong(path, [f"not YAML: {' '.join(str(error).split())}"]) from error
    if not isinstance(content, dict):
        raise _wrong(path, [f"line 1: found {_shown(content)}, expected a mapping of fields"])
    lines: dict[Location, int] = {}
    repeated = list(_note_lines(node, (), lines))
    if repeated:
        raise _wrong(path, repeated)
    origins: dict[Location, str] = {
        tuple(field.split(".")): given.origin for field, given in overrides.items()
    }
    for field, given in overrides.items():
        _put(content, field.split("."), given.value)
    return Source(path=path, content=content, lines=lines, origins=origins)


def validated(model: type[M], source: Source) -> M:
    """Return the model made of the content.

    Raises:
        ProjectError: It names line, field, what was found and what was expected, for each problem.
    """
    try:
        return model.model_validate(source.content)
    except ValidationError as error:
        problems = [_problem(detail, source) for detail in error.errors(include_url=False)]
        raise _wrong(source.path, list(dict.fromkeys(problems))) from error


def _note_lines(
    node: yaml.Node | None, location: Location, lines: dict[Location, int]
) -> Iterator[str]:
    """Fill `lines`, and yield the keys that stand twice."""
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            lines[(*location, place)] = item.start_mark.line + 1
            yield from _note_lines(item, (*location, place), lines)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*location, str(key.value))
            line = key.start_mark.line + 1
            if inner in lines:
                name = ".".join(map(str, inner))
                yield f"line {line}, {name}: found again, expected once (line {lines[inner]})"
            lines[inner] = line
            yield from _note_lines(value, inner, lines)


def _put(content: dict[str, object], field: list[str], value: object) -> None:
    *parents, last = field
    for parent in parents:
        inner = content.get(parent)
        inner = dict(inner) if isinstance(inner, dict) else {}
        content[parent] = inner
        content = inner
    content[last] = value


def _problem(detail: ErrorDetails, source: Source) -> str:
    location = tuple(part for part in _known_parts(detail["loc"], source.content))
    name = ".".join(map(str, location))
    if detail["type"] == "missing":
        found = "nothing"
    elif detail["type"] == "extra_forbidden":
        found = "a field that there is not"
    else:
        found = _shown(detail["input"])
    origin = next((text for field, text in source.origins.items() if field == location), None)
    where = origin or f"line {_line(location, source.lines)}"
    return f"{where}, {name}: found {found}, expected {_expected(detail)}"


def _known_parts(location: Location, content: object) -> Iterator[str | int]:
    """Leave out what pydantic adds for the alternatives of a union."""
    for place, part in enumerate(location):
        inner = content.get(part) if isinstance(content, dict) else None
        last = place == len(location) - 1
        if inner is not None or last or isinstance(part, int):
            yield part
            content = inner


def _line(location: Location, lines: Mapping[Location, int]) -> int:
    while location and location not in lines:
        location = location[:-1]
    return lines.get(location, 1)


def _expected(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if detail["type"] == "missing":
        return "a value"
    if detail["type"] == "extra_forbidden":
        return "one of the fields that docs/project-file.md lists"
    if detail["type"] == "value_error":
        return str(context.get("error", detail["msg"]))
    if detail["type"] == "string_pattern_mismatch":
        return f"text of the form {context.get('pattern')}"
    text = detail["msg"].removeprefix("Input should be ").removeprefix("Value should have ")
    return text[:1].lower() + text[1:]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _wrong(path: Path, problems: list[str]) -> ProjectError:
    count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
    listed = "\n".join(f"  {problem}" for problem in problems)
    return ProjectError(
        f"{path} has {count}:\n{listed}",
        hint="Correct the lines above; docs/project-file.md explains every field.",
    )
