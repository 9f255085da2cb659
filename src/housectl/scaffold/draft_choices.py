"""Choices of a drafted project file beyond its columns: split and transformation of the target."""

from dataclasses import dataclass, field

from msgspec import UNSET, UnsetType

from housectl.contract.recipe import Split
from housectl.contract.schema import Schema, Transform
from housectl.contract.table import Table
from housectl.data_checks.checks import TRAPS, CheckedData


@dataclass(frozen=True, kw_only=True)
class DraftChoices:
    """Proposals for a project file, with notes for its author.

    Attributes:
        transform: Transformation of the target for training; unset for none.
    """

    split: Split = field(default_factory=Split)
    transform: Transform | UnsetType = UNSET
    notes: tuple[str, ...] = ()


def choose(schema: Schema, table: Table) -> DraftChoices:
    """Return the choices for a table with this schema."""
    data = CheckedData(schema, table, Split())
    return DraftChoices(
        notes=tuple(str(problem) for find in TRAPS.values() for problem in find(data))
    )
