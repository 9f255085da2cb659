"""Problems of a project file, described with line, field, found and expected value."""

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from shlex import quote
from typing import Annotated, Final, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from housectl.documentation import documentation_url
from housectl.errors import ProjectError, UsageError

ALTERNATIVE: Final = "alternative "
"""Prefix of the tag of each alternative of a union; a tag is not part of a field's name."""

Location = tuple[str | int, ...]

_OPENING = re.compile(r"\w+ should (be |have |match pattern )(?=(greater|less)?)")
_SIMPLER_OPENINGS = {"match pattern ": "text that matches "}
_KEY_SUFFIX = "[key]"
_MAX_SHOWN_LENGTH = 60


def describe_problem(
    detail: ErrorDetails, model: type[BaseModel], location_of: Callable[[Location], str]
) -> str:
    """Return one problem of a model with its place in the file, and the expected value."""
    location = tuple(
        step for step in detail["loc"] if not str(step).startswith((ALTERNATIVE, _KEY_SUFFIX))
    )
    field = f"{location_of(location)}: {dotted_name(location)}"
    expected = _describe_expected(detail, _fields_at(model, detail["loc"][:-1]))
    return f"{field}: found {_describe_found(detail)}, expected {expected}"


def _describe_found(detail: ErrorDetails) -> str:
    match detail["type"]:
        case "missing":
            return "nothing"
        case "extra_forbidden" | "unexpected_keyword_argument":
            return "an unknown field"
        case "cross_field":
            return str(detail["ctx"]["found"])
    return shorten(detail["input"])


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
        annotation = _annotation_at(annotation, str(step))
    return list(_fields(annotation))


def _annotation_at(annotation: object, step: str) -> object:
    fields = _fields(annotation)
    if step in fields:
        return fields[step].annotation
    arguments = get_args(annotation)
    if not step.startswith(ALTERNATIVE):
        return arguments[-1] if arguments else None
    union = arguments[0] if get_origin(annotation) is Annotated else annotation
    alternatives = map(get_args, get_args(union))
    return next((kind for kind, *tags in alternatives if Tag(step) in tags), None)


def _fields(annotation: object) -> Mapping[str, FieldInfo]:
    """Return the fields of a model or a dataclass; empty for other types."""
    fields: Mapping[str, FieldInfo] = getattr(annotation, "__pydantic_fields__", {})
    return fields


def dotted_name(location: Location) -> str:
    """Return the name of a field, such as `budget.trials`."""
    return ".".join(map(str, location))


def shorten(value: object) -> str:
    """Return the representation of a value, cut to a readable length."""
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN_LENGTH else f"{text[:_MAX_SHOWN_LENGTH]}…"


def override_error(path: Path, origins: Sequence[str], problems: Sequence[str]) -> UsageError:
    """Return the error with all problems of flags and variables that override a project file."""
    wrong = [origin for origin in origins if any(each.startswith(origin) for each in problems)]
    subject = ", ".join(wrong or origins)
    return UsageError(
        f"Invalid value of {subject} for {path}:\n{_indented(problems)}",
        hint=f"Correct or omit {subject}.",
    )


def project_error(path: Path, problems: Sequence[str]) -> ProjectError:
    """Return the error with all problems of a project file."""
    url = documentation_url("project-file.md")
    count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
    return ProjectError(
        f"{path} has {count}:\n{_indented(problems)}",
        hint=f"${{EDITOR:-vi}} {quote(str(path))}   # every field: {url}",
    )


def _indented(problems: Sequence[str]) -> str:
    return "\n".join(f"  {problem}" for problem in problems)
