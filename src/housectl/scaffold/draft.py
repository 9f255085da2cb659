"""Drafting a housectl.yaml for any numeric CSV; what cannot be used is told, not guessed away."""

import csv
import math
import os.path
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from housectl.contract.families import Family
from housectl.contract.files import atomic_write
from housectl.contract.schema import Exclusion, Feature, Schema, Target
from housectl.contract.table import MINIMUM_ROWS, read_table
from housectl.errors import DataError, UsageError
from housectl.scaffold.column_checks import exclusion_reason, likely_identifier

if TYPE_CHECKING:
    from pandas import DataFrame, Series

_NAME_LENGTH = 20
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_LARGE = 1e15
_FAMILY = Family.RANDOM_FOREST

_TEXT = """\
# Drafted by `housectl init`; it tunes as it is. What is not said here has its default.
name: {name}    # experiments are named after it
data: {data}    # relative to this file

# Units and descriptions are what people see at /docs; response_key names the answer of POST /predict.
target: {{name: {target}, unit: "", description: "", response_key: prediction}}

# What the model sees, each with its range in the data. Values outside are served, and counted.
features:
{features}

# What no model may see, with the reason. Clients may send it; it is ignored.
exclude:{exclusions}

family: {family}    # or {other_families}, or auto for all
space: default           # or wide, or the ranges to search: {{max_features: {{min: 0.2, max: 1}}}}
split: {{method: hash, holdout: 0.2}}    # no trial sees the held-out rows
seed: 42
budget: {{trials: 30}}     # and time: 10m, after which no trial is started
workers: 2               # trials at the same time
"""


@dataclass(frozen=True)
class Draft:
    """A project file that tunes as it is, and what its author should look at."""

    text: str
    notes: tuple[str, ...]


def draft(data: Path, target: str, *, root: Path) -> Draft:
    """Describe a CSV file.

    Columns that a model cannot use, and likely identifiers, are excluded with the reason.

    Args:
        data: The file.
        target: The column to predict.
        root: The directory that the project file will lie in.

    Raises:
        DataError: It is no CSV, is too short, or has no usable column, or no usable target.
        UsageError: It has no such column.
    """
    frame = _read(data)
    _check_target(frame, target, data)
    excluded, kept = _classify_columns(frame.drop(columns=target), data)
    schema = _schema(frame, target, excluded)
    read_table(data, schema)
    return Draft(
        text=_text(schema, name=_name(data), data=os.path.relpath(data, root)),
        notes=(
            *(f"{name} is excluded: {reason}" for name, reason in excluded.items()),
            *(
                f"{name} is used, since there is no other: {reason}"
                for name, reason in kept.items()
            ),
            *_duplicate_note(frame),
        ),
    )


def write_draft(drafted: Draft, path: Path) -> None:
    """Write the project file.

    Raises:
        UsageError: There is one already.
    """
    if path.exists():
        raise UsageError(
            f"{path} exists already.", hint=f"mv {path} {path}.old   # then run init again"
        )
    atomic_write(path, drafted.text.encode())


def _read(data: Path) -> "DataFrame":
    import pandas as pd

    try:
        _check_header(data)
        with warnings.catch_warnings():
            # Rows that are too long are told with their line when the table is read.
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            frame = pd.read_csv(
                data,
                encoding="utf-8-sig",
                index_col=False,
                low_memory=False,
            )
    except OSError as error:
        raise DataError(
            f"Cannot read {data}: {error.strerror}.", hint=f"ls -l {data.parent}"
        ) from error
    except (ValueError, csv.Error) as error:
        raise DataError(
            f"{data} is not a CSV file: {error}.",
            hint=f"file {data}   # save it as CSV, UTF-8, with a header, separated by commas",
        ) from error
    if len(frame) < MINIMUM_ROWS:
        raise DataError(
            f"{data} has {len(frame)} rows of data; a model needs at least {MINIMUM_ROWS}.",
            hint=f"wc -l {data}   # then add rows",
        )
    return frame


def _check_header(data: Path) -> None:
    with data.open(newline="", encoding="utf-8-sig") as file:
        header = next(csv.reader(file), [])
    if len(header) == 1:
        raise DataError(
            f"{data} has one column only, {header[0]!r}; target and features are needed.",
            hint=f"head -3 {data}   # save it as CSV, UTF-8, with a header, separated by commas",
        )
    wrong = sorted({name or "(empty)" for name in header if not name or header.count(name) > 1})
    if wrong:
        raise DataError(
            f"{data}, line 1: column names must be there and differ; look at {', '.join(wrong)}.",
            hint=f"head -1 {data}   # then rename them",
        )


def _check_target(frame: "DataFrame", target: str, data: Path) -> None:
    if target not in frame.columns:
        names = [str(name) for name in frame.columns]
        similar = get_close_matches(target, names, n=1)
        named = f"--target {similar[0]}" if similar else f"--target COLUMN   # {', '.join(names)}"
        raise UsageError(
            f"{data} has no column {target!r}.", hint=f"housectl init --data {data} {named}"
        )
    if reason := exclusion_reason(frame[target]):
        raise DataError(
            f"The target {target} of {data} cannot be learned: {reason}.",
            hint="Repair or remove those rows, or choose another target.",
        )


def _classify_columns(columns: "DataFrame", data: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the columns to exclude, and those to keep despite a suspicion, with the reasons.

    Likely identifiers are kept when nothing else is left: a draft has to tune.
    """
    useless = _reasons(columns, exclusion_reason)
    usable = columns.drop(columns=list(useless))
    if usable.empty:
        listed = "; ".join(f"{name}: {reason}" for name, reason in useless.items())
        raise DataError(
            f"{data} has no column that a model could use. {listed}.",
            hint=f"head -3 {data}   # numeric columns without gaps are needed",
        )
    suspects = _reasons(usable, likely_identifier)
    if len(suspects) == usable.shape[1]:
        return useless, suspects
    return {**useless, **suspects}, {}


def _reasons(
    columns: "DataFrame", judge: "Callable[[Series[float]], str | None]"
) -> dict[str, str]:
    judged = ((str(name), judge(columns[name])) for name in columns.columns)
    return {name: reason for name, reason in judged if reason}


def _duplicate_note(frame: "DataFrame") -> Iterator[str]:
    count = int(frame.duplicated().sum())
    if count:
        yield f"{count} rows repeat an earlier one; they stay, on the same side of the split"


def _schema(frame: "DataFrame", target: str, excluded: Mapping[str, str]) -> Schema:
    used = frame.columns.drop([target, *excluded])
    return Schema(
        features=tuple(
            Feature(
                name=str(name), minimum=float(frame[name].min()), maximum=float(frame[name].max())
            )
            for name in used
        ),
        target=Target(name=target),
        exclusions=tuple(Exclusion(name=name, reason=reason) for name, reason in excluded.items()),
    )


def _text(schema: Schema, *, name: str, data: str) -> str:
    reasons = [f"\n  {_scalar(each.name)}: {_scalar(each.reason)}" for each in schema.exclusions]
    return _TEXT.format(
        name=name,
        data=_scalar(data),
        target=_scalar(schema.target.name),
        features="\n".join(map(_feature, schema.features)),
        exclusions="".join(reasons) or " {}",
        family=_FAMILY,
        other_families=", or ".join(family for family in Family if family is not _FAMILY),
    )


def _feature(feature: Feature) -> str:
    low, high = _number(feature.minimum), _number(feature.maximum)
    return f'  {_scalar(feature.name)}: {{min: {low}, max: {high}, unit: "", description: ""}}'


def _name(data: Path) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", data.stem.lower()).strip("-")
    return (plain if plain[:1].isalpha() else f"data-{plain}")[:_NAME_LENGTH].rstrip("-")


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < _LARGE else repr(value)


def _scalar(text: str) -> str:
    """Return a YAML scalar that is this text in YAML 1.1 and 1.2, quoted only if it has to be."""
    import yaml

    if _WORD.fullmatch(text) and yaml.safe_load(text) == text:
        return text
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=math.inf).rstrip()
