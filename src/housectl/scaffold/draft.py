"""Drafts a housectl.yaml for any numeric CSV, and reports the columns that it excludes."""

import csv
import os.path
import re
import shlex
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from housectl.contract.files import atomic_write
from housectl.contract.schema import Exclusion, Feature, Schema, Target
from housectl.contract.table import MINIMUM_ROWS
from housectl.contract.usable_data import read_usable_data
from housectl.errors import DataError, LocalEnvironmentError, UsageError
from housectl.scaffold.column_checks import (
    ExclusionReason,
    exclusion_reason,
    identifier_reason,
)
from housectl.scaffold.draft_choices import DraftChoices, choose
from housectl.scaffold.template import DRAFT_SEED, render_project_file

if TYPE_CHECKING:
    from pandas import DataFrame, Series

_MAX_NAME_LENGTH = 20


@dataclass(frozen=True)
class ProjectDraft:
    """The text of a valid project file, and notes for its author.

    The text has no cells of excluded columns, because models publish the reasons; notes may.
    """

    text: str
    notes: tuple[str, ...]


def draft_project(data: Path, target: str, *, root: Path) -> ProjectDraft:
    """Draft a project file for a CSV file.

    Unusable columns, and probable identifiers, are excluded with the reason.

    Args:
        data: The CSV file.
        target: The column to predict.
        root: The directory of the project file.

    Raises:
        DataError: The file is not CSV, or a search would refuse its data.
        UsageError: The file has no target column.
    """
    frame = _read_frame(data)
    _check_target(frame, target, data)
    excluded, suspects = _classify_columns(frame.drop(columns=target), data)
    schema = _schema_of(frame, target, excluded)
    choices = _choose(data, schema)
    return ProjectDraft(
        text=render_project_file(
            schema, choices, name=_project_name(data), data=os.path.relpath(data, root)
        ),
        notes=(
            *(f"{name} was excluded: {reason}" for name, reason in excluded.items()),
            *(
                f"{name} was kept because no other column is usable: {reason}"
                for name, reason in suspects.items()
            ),
            *choices.notes,
        ),
    )


def write_draft(draft: ProjectDraft, path: Path) -> None:
    """Write the project file.

    Raises:
        UsageError: The file already exists.
    """
    if path.exists():
        raise UsageError(
            f"{path} already exists.",
            hint=f"{shlex.join(('mv', str(path), f'{path}.old'))}   # then run init again",
        )
    atomic_write(path, draft.text.encode())


def _require_pandas() -> None:
    """Require pandas, which the image of the command line lacks.

    Raises:
        LocalEnvironmentError: pandas is not installed.
    """
    if find_spec("pandas") is None:
        raise LocalEnvironmentError(
            "The library pandas, which reads the data, is missing in this Python.",
            hint="pip install pandas   # or run init outside of the image housectl-cli",
        )


def _read_frame(data: Path) -> "DataFrame":
    _require_pandas()
    import pandas as pd

    try:
        _check_header(data)
        with warnings.catch_warnings():
            # read_table() reports rows that are too long, with their line.
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            frame = pd.read_csv(
                data,
                encoding="utf-8-sig",
                index_col=False,
                low_memory=False,
            )
    except OSError as error:
        raise DataError(
            f"Cannot read {data}: {error.strerror}.", hint=f"ls -l {quote(str(data.parent))}"
        ) from error
    except (ValueError, csv.Error) as error:
        raise DataError(
            f"{data} is not a CSV file: {error}.",
            hint=f"file {quote(str(data))}   # save it as CSV, separated by commas",
        ) from error
    if len(frame) < MINIMUM_ROWS:
        raise DataError(
            f"{data} has {len(frame)} data rows; a model needs at least {MINIMUM_ROWS}.",
            hint=f"wc -l {quote(str(data))}   # then add rows",
        )
    return frame


def _check_header(data: Path) -> None:
    with data.open(newline="", encoding="utf-8-sig") as file:
        header = next(csv.reader(file), [])
    if len(header) == 1:
        raise DataError(
            f"{data} has only one column, {header[0]!r}; a target and a feature are required.",
            hint=f"head -3 {quote(str(data))}   # save it as CSV, separated by commas",
        )
    invalid = sorted({name or "(empty)" for name in header if not name or header.count(name) > 1})
    if invalid:
        raise DataError(
            f"{data}, line 1: empty or duplicate column names: {', '.join(invalid)}.",
            hint=f"head -1 {quote(str(data))}   # then rename them",
        )


def _check_target(frame: "DataFrame", target: str, data: Path) -> None:
    if target not in frame.columns:
        names = [str(name) for name in frame.columns]
        similar = get_close_matches(target, names, n=1)
        column = quote(similar[0]) if similar else f"COLUMN   # {', '.join(names)}"
        raise UsageError(
            f"{data} has no column {target!r}.",
            hint=f"housectl init --data {quote(str(data))} --target {column}",
        )
    if reason := exclusion_reason(frame[target]):
        raise DataError(
            f"The target {target} of {data} is unusable: {reason}.",
            hint="Fix or remove these rows, or choose another target.",
        )


def _classify_columns(
    columns: "DataFrame", data: Path
) -> tuple[dict[str, ExclusionReason], dict[str, ExclusionReason]]:
    """Return the excluded and the kept but suspicious columns, with the reasons.

    Probable identifiers are kept if there are no other columns, since a model needs a feature.
    """
    unusable = _rejected_columns(columns, exclusion_reason)
    usable = columns.drop(columns=list(unusable))
    if usable.empty:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in unusable.items())
        raise DataError(
            f"{data} has no usable feature column. {reasons}.",
            hint=f"head -3 {quote(str(data))}   # a feature is numeric and has no missing values",
        )
    suspects = _rejected_columns(usable, identifier_reason)
    if len(suspects) == usable.shape[1]:
        return unusable, suspects
    return {**unusable, **suspects}, {}


def _rejected_columns(
    columns: "DataFrame", reason_of: "Callable[[Series[float]], ExclusionReason | None]"
) -> dict[str, ExclusionReason]:
    reasons = ((str(name), reason_of(columns[name])) for name in columns.columns)
    return {name: reason for name, reason in reasons if reason}


def _choose(data: Path, schema: Schema) -> DraftChoices:
    """Return the choices for data that a search accepts with them."""
    usable = read_usable_data(data, schema, split=DraftChoices().split, seed=DRAFT_SEED)
    choices = choose(schema, usable.table)
    if choices.split != DraftChoices().split:
        read_usable_data(data, schema, split=choices.split, seed=DRAFT_SEED)
    return choices


def _schema_of(frame: "DataFrame", target: str, excluded: Mapping[str, ExclusionReason]) -> Schema:
    features = frame.columns.drop([target, *excluded])
    return Schema(
        features=tuple(
            Feature(
                name=str(name), minimum=float(frame[name].min()), maximum=float(frame[name].max())
            )
            for name in features
        ),
        target=Target(name=target),
        exclusions=tuple(
            Exclusion(name=name, reason=reason.kind) for name, reason in excluded.items()
        ),
    )


def _project_name(data: Path) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", data.stem.lower()).strip("-")
    return (plain if plain[:1].isalpha() else f"data-{plain}")[:_MAX_NAME_LENGTH].rstrip("-")
