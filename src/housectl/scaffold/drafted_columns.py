"""The table of a draft: the choice for each column, with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass

from housectl.scaffold.columns.choice import ColumnChoice, FeatureChoice
from housectl.scaffold.columns.number_rules import describe_range
from housectl.scaffold.columns.profile import ColumnProfile
from housectl.scaffold.data_survey import DataSurvey


@dataclass(frozen=True, kw_only=True)
class DraftedColumn:
    """A column of the data, with the choice that the draft makes for it.

    Attributes:
        choice: `target`, `excluded`, or the type of a feature.
        reason: Reason for the choice, without a cell of an excluded column.
    """

    name: str
    choice: str
    reason: str


def drafted_columns(
    survey: DataSurvey, choices: Mapping[str, ColumnChoice]
) -> tuple[DraftedColumn, ...]:
    """Return all columns in the file's order."""
    return tuple(
        _target(survey.target_profile) if name == survey.target else _column(name, choices[name])
        for name in survey.columns.names
    )


def _target(profile: ColumnProfile) -> DraftedColumn:
    reason = describe_range(profile.minimum, profile.maximum)
    return DraftedColumn(name=profile.name, choice="target", reason=reason)


def _column(name: str, choice: ColumnChoice) -> DraftedColumn:
    if isinstance(choice, FeatureChoice):
        return DraftedColumn(name=name, choice=choice.type_name, reason=choice.reason)
    return DraftedColumn(name=name, choice="excluded", reason=f"{choice.kind}: {choice.reason}")
