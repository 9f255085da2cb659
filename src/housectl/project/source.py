"""Reads YAML with line numbers, and reports all of its problems in one error."""

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
"""Prefix of the tag of each alternative of a union; a tag is not part of a field's name."""

Location = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INT = re.compile(r"[-+]?[0-9]{1,30}")
_FLOAT = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_OPENING = re.compile(r"\w+ should (be |have |match pattern )(?=(greater|less)?)")
_SIMPLER_OPENINGS = {"match pattern ": "text that matches "}
_KEY_SUFFIX = "[key]"
_MAX_SHOWN_LENGTH = 60


@dataclass(frozen=True)
class Override:
    """A value from a flag or an environment variable; `origin` is the name of it."""

    value: object
    origin: str


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


def read_source(path: Path, overrides: Mapping[str, Override]) -> Source:
    """Read a YAML mapping and apply the overrides, by dotted field names.

    Raises:
        ProjectError: The file cannot be read, is not YAML, or is not a mapping.
    """
    reader = _YamlReader()
    try:
        content = reader.value(_compose_yaml(path))
    except RecursionError as error:
        raise _project_error(path, ["infinite nesting: an alias contains itself"]) from error
    if not isinstance(content, dict):
        raise _project_error(
            path, [f"{path.name}:1: found {_shorten(content)}, expected a mapping"]
        )
    problems = tuple(f"{path.name}:{text}" for text in reader.repeated)
    source = Source(path=path, content=content, lines=reader.lines, problems=problems)
    for name, override in overrides.items():
        source.override(name, override)
    return source


def validate(model: type[M], source: Source) -> M:
    """Return the model of the content.

    Raises:
        ProjectError: The content is invalid; lists line, field, found and expected values.
    """
    problems = list(source.problems)
    try:
        read = model.model_validate(source.content)
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems += [_describe_problem(detail, source, model) for detail in details]
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


class _YamlReader:
    """Converts YAML nodes to values, and records the line of each key."""

    def __init__(self) -> None:
        self.lines: dict[Location, int] = {}
        self.repeated: list[str] = []

    def value(self, node: yaml.Node | None, location: Location = ()) -> object:
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
                self.repeated.append(
                    f"{line}: {_dotted_name(inner_location)}: found again, "
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


def _describe_problem(detail: ErrorDetails, source: Source, model: type[BaseModel]) -> str:
    location = tuple(
        step for step in detail["loc"] if not str(step).startswith((ALTERNATIVE, _KEY_SUFFIX))
    )
    field = f"{source.location_of(location)}: {_dotted_name(location)}"
    expected = _describe_expected(detail, _fields_at(model, location[:-1]))
    return f"{field}: found {_describe_found(detail)}, expected {expected}"


def _describe_found(detail: ErrorDetails) -> str:
    match detail["type"]:
        case "missing":
            return "nothing"
        case "extra_forbidden" | "unexpected_keyword_argument":
            return "an unknown field"
        case "cross_field":
            return str(detail["ctx"]["found"])
    return _shorten(detail["input"])


def _describe_expected(detail: ErrorDetails, field_names: Sequence[str]) -> str:
    match detail["type"]:
        case "missing":
            return "a value"
        case "extra_forbidden" | "unexpected_keyword_argument":
            return describe_choices(str(detail["loc"][-1]), field_names)
        case "cross_field":
            return str(detail["ctx"]["expected"])
        case "value_error":
            return str(detail["ctx"]["error"])
        case "model_type" | "dataclass_type" | "dict_type":
            return "a mapping"
    return _OPENING.sub(_simplify_opening, detail["msg"], count=1)


def _simplify_opening(start: re.Match[str]) -> str:
    return "a number " if start[2] else _SIMPLER_OPENINGS.get(start[1], "")


def describe_choices(text: str, choices: Sequence[str]) -> str:
    """Return a text with all choices, and the one most similar to the given text."""
    similar = get_close_matches(text, choices, n=1)
    question = f"; do you mean {similar[0]}?" if similar else ""
    return f"one of {', '.join(choices)}{question}" if choices else "another name"


def _fields_at(annotation: object, location: Location) -> list[str]:
    """Return the field names of the model at a location of nested models and mappings."""
    for step in location:
        fields = _fields(annotation)
        annotation = fields[str(step)].annotation if fields else (*get_args(annotation), None)[-2]
    return list(_fields(annotation))


def _fields(annotation: object) -> Mapping[str, FieldInfo]:
    """Return the fields of a model or a dataclass; empty for other types."""
    fields: Mapping[str, FieldInfo] = getattr(annotation, "__pydantic_fields__", {})
    return fields


def _dotted_name(location: Location) -> str:
    return ".".join(map(str, location))


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN_LENGTH else f"{text[:_MAX_SHOWN_LENGTH]}…"


def _project_error(path: Path, problems: Sequence[str]) -> ProjectError:
    count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
    lines = "\n".join(f"  {problem}" for problem in problems)
    return ProjectError(
        f"{path} has {count}:\n{lines}",
        hint=f"${{EDITOR:-vi}} {path}   # docs/project-file.md explains every field",
    )
