"""Choices of a drafted project file beyond its columns: split and transformation of the target."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec import UNSET, UnsetType

from housectl.contract.data_split import row_texts
from housectl.contract.recipe import Split
from housectl.contract.schema import Schema, Transform
from housectl.contract.table import Table


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
    return DraftChoices(notes=(*_duplicate_rows_note(table, schema),))


def _duplicate_rows_note(table: Table, schema: Schema) -> Iterator[str]:
    texts = row_texts(table)
    if count := len(texts) - len(set(texts)):
        yield (
            f"{count} rows have the features and the {schema.target.name} of an earlier row; "
            "the split keeps equal rows on one side"
        )
