"""Drafts a housectl.yaml for a data file, and reports the choice for each column."""

import os.path
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.data.usable_data import read_usable_data
from housectl.contract.files import atomic_write
from housectl.contract.schema import Exclusion, Feature, Schema, Target, column_record
from housectl.errors import DataError, UsageError
from housectl.scaffold.columns.choice import ColumnChoice, ExclusionChoice, FeatureChoice
from housectl.scaffold.columns.number_rules import unit_of
from housectl.scaffold.columns.type_rules import choose_type
from housectl.scaffold.data_survey import DataSurvey, survey_data
from housectl.scaffold.draft_choices import DRAFT_SPLIT, DraftChoices, make_choices
from housectl.scaffold.drafted_columns import DraftedColumn, drafted_columns
from housectl.scaffold.file_format.shell_commands import print_lines
from housectl.scaffold.project_file.template import DRAFT_SEED, render_project_file
from housectl.scaffold.target_checks import check_target, check_target_exists

_MAX_NAME_LENGTH = 20


@dataclass(frozen=True, kw_only=True)
class ProjectDraft:
    """The text of a valid project file, the choices in it, and notes for its author.

    None of them has a cell of an excluded column.

    Attributes:
        csv_format: Format of the data file.
    """

    text: str
    csv_format: CsvFormat
    columns: tuple[DraftedColumn, ...]
    notes: tuple[str, ...]


def draft_project(
    data: Path, target: str, *, root: Path, encoding: str | None = None
) -> ProjectDraft:
    """Draft a project file for a data file.

    Unusable columns, and probable identifiers, are excluded with the reason.

    Args:
        data: The data file.
        target: The column to predict.
        root: The directory of the project file.
        encoding: Encoding of the file; None to detect it.

    Raises:
        DataError: The file is invalid, or a search would refuse its data.
        UsageError: The file has no target column, or the encoding is unknown.
    """
    survey = survey_data(data, target=target, encoding=encoding)
    check_target_exists(survey.columns.names, target, data)
    check_target(survey.target_profile, data)
    columns = _choose_columns(survey, data)
    schema = _schema_of(survey, columns)
    choices = _choose_for_usable_data(data, schema, survey)
    return ProjectDraft(
        text=render_project_file(
            schema,
            choices,
            csv_format=survey.csv_format,
            name=_project_name(data),
            data=os.path.relpath(data, root),
        ),
        csv_format=survey.csv_format,
        columns=drafted_columns(survey, columns),
        notes=(*_notes(survey, columns), *choices.notes),
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


def _choose_columns(survey: DataSurvey, data: Path) -> Mapping[str, ColumnChoice]:
    """Return the choice for each column but the target.

    Probable identifiers are kept if there are no other columns, since a model needs a feature.
    """
    columns = {name: choose_type(survey.profile(name)) for name in survey.feature_names}
    if not any(isinstance(choice, FeatureChoice) for choice in columns.values()):
        columns = {name: _last_resort(choice) for name, choice in columns.items()}
    if any(isinstance(choice, FeatureChoice) for choice in columns.values()):
        return columns
    reasons = "; ".join(f"{name}: {choice.reason}" for name, choice in columns.items())
    raise DataError(
        f"{data} has no usable feature column. {reasons}.",
        hint=f"{print_lines(data, 'head -3')}   # then add a column that describes the rows",
    )


def _last_resort(choice: ColumnChoice) -> ColumnChoice:
    if isinstance(choice, FeatureChoice) or choice.otherwise is None:
        return choice
    reason = f"{choice.otherwise.reason}; kept because no other column is usable: {choice.reason}"
    return replace(choice.otherwise, reason=reason)


def _schema_of(survey: DataSurvey, columns: Mapping[str, ColumnChoice]) -> Schema:
    return Schema(
        features=tuple(
            Feature(
                name=name,
                minimum=choice.range.minimum,
                maximum=choice.range.maximum,
                unit=choice.unit,
                column=column_record(choice.type),
            )
            for name, choice in columns.items()
            if isinstance(choice, FeatureChoice)
        ),
        target=Target(name=survey.target, unit=unit_of(survey.target_profile)),
        exclusions=tuple(
            Exclusion(name=name, reason=choice.kind)
            for name, choice in columns.items()
            if isinstance(choice, ExclusionChoice)
        ),
    )


def _choose_for_usable_data(data: Path, schema: Schema, survey: DataSurvey) -> DraftChoices:
    """Return the choices for data that a search accepts with them."""
    split = DRAFT_SPLIT
    usable = read_usable_data(
        data, schema, split=split, seed=DRAFT_SEED, csv_format=survey.csv_format
    )
    choices = make_choices(schema, usable.table)
    if choices.split != split:
        read_usable_data(
            data, schema, split=choices.split, seed=DRAFT_SEED, csv_format=survey.csv_format
        )
    return choices


def _notes(survey: DataSurvey, columns: Mapping[str, ColumnChoice]) -> Iterator[str]:
    target = survey.target_profile
    if target.missing:
        rows = f"{target.missing} of {len(target.cells)} rows"
        yield f"{rows} have no {target.name}; they are left out."
    yield from survey.notes()
    for choice in columns.values():
        yield from choice.notes


def _project_name(data: Path) -> str:
    stem = data.name.removesuffix(".gz").removesuffix(".zip").rpartition(".")[0] or data.stem
    plain = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")
    return (plain if plain[:1].isalpha() else f"data-{plain}")[:_MAX_NAME_LENGTH].rstrip("-")
