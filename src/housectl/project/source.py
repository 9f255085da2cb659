"""Reading YAML with its lines, and telling every problem of it in one error."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Final, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from housectl.errors import ProjectError

ALTERNATIVE: Final = "alternative "
"""Begins the tag of each alternative of a union, which is no part of a field's name."""

Location = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INT = re.compile(r"[-+]?[0-9]{1,30}")
_FLOAT = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_SHOULD = re.compile(r"\w+ should (be |have |match pattern )(?=(greater|less)?)")
_SHORTER = {"match pattern ": "text that matches "}
_KEY = "[key]"
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
        problems: What is wrong with the text, whatever the fields mean.
    """

    path: Path
    content: dict[str, object]
    lines: Mapping[Location, int]
    origins: dict[Location, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def override(self, name: str, given: Override) -> None:
        """Put a value in the place of the field with this dotted name."""
        *parents, last = location = tuple(name.split("."))
        content = self.content
        for parent in parents:
            inner = content.get(parent) or {}
            if not isinstance(inner, dict):
                return
            content[parent] = inner
            content = inner
        content[last] = given.value
        self.origins[location] = given.origin

    def location_of(self, location: Location) -> str:
        """Return the flag that a field comes from, or else its line or that of what holds it."""
        around = [location[:length] for length in range(len(location), 0, -1)]
        origin = next((self.origins[place] for place in around if place in self.origins), None)
        line = next((self.lines[place] for place in around if place in self.lines), 1)
        return origin or f"{self.path.name}:{line}"


def read_source(path: Path, overrides: Mapping[str, Override]) -> Source:
    """Read a YAML mapping and put the overrides, named by dotted fields, over it.

    Raises:
        ProjectError: It cannot be read, is no YAML, or no mapping.
    """
    reader = _Reader()
    try:
        content = reader.value(_compose_yaml(path))
    except RecursionError as error:
        raise _project_error(
            path, ["nested without end: an alias that contains itself?"]
        ) from error
    if not isinstance(content, dict):
        raise _project_error(path, [f"{path.name}:1: found {_shown(content)}, expected fields"])
    problems = tuple(f"{path.name}:{text}" for text in reader.repeated)
    source = Source(path=path, content=content, lines=reader.lines, problems=problems)
    for name, given in overrides.items():
        source.override(name, given)
    return source


def validate(model: type[M], source: Source) -> M:
    """Return the model made of the content.

    Raises:
        ProjectError: It names line, field, what was found and what was expected, for each problem.
    """
    problems = list(source.problems)
    try:
        read = model.model_validate(source.content)
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems += [_problem(detail, source, model) for detail in details]
        raise _project_error(source.path, problems) from error
    if problems:
        raise _project_error(source.path, problems)
    return read


def _compose_yaml(path: Path) -> yaml.Node | None:
    try:
        return yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise _project_error(path, [f"cannot be read: {error.strerror}"]) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _project_error(path, [f"{path.name}:{line}: not YAML: {error.problem}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _project_error(path, [f"not YAML: {' '.join(str(error).split())}"]) from error


class _Reader:
    """Turns YAML nodes into values, and notes the line of each."""

    def __init__(self) -> None:
        self.lines: dict[Location, int] = {}
        self.repeated: list[str] = []

    def value(self, node: yaml.Node | None, location: Location = ()) -> object:
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*location, place)) for place, item in enumerate(node.value)]
        return self._mapping(node, location)

    def _mapping(self, node: yaml.Node | None, location: Location) -> dict[str, object]:
        content: dict[str, object] = {}
        for key, inner in node.value if node else ():
            name, line = str(key.value), key.start_mark.line + 1
            place = (*location, name)
            if name in content:
                first = self.lines[place]
                self.repeated.append(
                    f"{line}: {_name(place)}: found again, expected once (line {first})"
                )
            self.lines.setdefault(place, line)
            content[name] = self.value(inner, place)
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


def _problem(detail: ErrorDetails, source: Source, model: type[BaseModel]) -> str:
    location = tuple(
        part for part in detail["loc"] if not str(part).startswith((ALTERNATIVE, _KEY))
    )
    found, expected = _found(detail), _expected(detail, _known_fields(model, location[:-1]))
    return f"{source.location_of(location)}: {_name(location)}: found {found}, expected {expected}"


def _found(detail: ErrorDetails) -> str:
    match detail["type"]:
        case "missing":
            return "nothing"
        case "extra_forbidden":
            return "an unknown field"
        case "misfit":
            return str(detail["ctx"]["found"])
    return _shown(detail["input"])


def _expected(detail: ErrorDetails, known: Sequence[str]) -> str:
    match detail["type"]:
        case "missing":
            return "a value"
        case "extra_forbidden":
            return suggestion(str(detail["loc"][-1]), known)
        case "misfit":
            return str(detail["ctx"]["expected"])
        case "value_error":
            return str(detail["ctx"]["error"])
        case "model_type" | "dict_type":
            return "a mapping"
    return _SHOULD.sub(_shorter, detail["msg"], count=1)


def _shorter(start: re.Match[str]) -> str:
    return "a number " if start[2] else _SHORTER.get(start[1], "")


def suggestion(given: str, known: Sequence[str]) -> str:
    """Return what can be meant, and the most similar of it."""
    similar = get_close_matches(given, known, n=1)
    meant = f"; do you mean {similar[0]}?" if similar else ""
    return f"one of {', '.join(known)}{meant}" if known else "another name"


def _known_fields(annotation: object, location: Location) -> list[str]:
    """Follow a location through models and mappings to the model there; return its fields."""
    for part in location:
        fields = _fields(annotation)
        annotation = fields[str(part)].annotation if fields else (*get_args(annotation), None)[-2]
    return list(_fields(annotation))


def _fields(annotation: object) -> Mapping[str, FieldInfo]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation.model_fields
    return {}


def _name(location: Location) -> str:
    return ".".join(map(str, location))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _project_error(path: Path, problems: Sequence[str]) -> ProjectError:
    count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
    listed = "\n".join(f"  {problem}" for problem in problems)
    return ProjectError(
        f"{path} has {count}:\n{listed}",
        hint=f"${{EDITOR:-vi}} {path}   # docs/project-file.md explains every field",
    )
