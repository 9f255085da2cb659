"""Choice of a column's type, or of its exclusion, with the reason."""

from dataclasses import dataclass

from housectl.contract.column_types import ColumnType


@dataclass(frozen=True, kw_only=True)
class ColumnRange:
    """Smallest and largest value of a feature, as doubles."""

    minimum: float
    maximum: float


@dataclass(frozen=True, kw_only=True)
class FeatureChoice:
    """A column that becomes a feature.

    Attributes:
        reason: Facts about the cells that decided.
        unit: Unit of the values, found in the file.
        notes: Points to review; they have no cell of an excluded column.
    """

    type: ColumnType
    range: ColumnRange
    reason: str
    unit: str = ""
    notes: tuple[str, ...] = ()

    @property
    def type_name(self) -> str:
        """Name of the type in housectl.yaml."""
        return type(self.type).__name__.lower()


@dataclass(frozen=True, kw_only=True)
class ExclusionChoice:
    """A column that becomes no feature.

    Attributes:
        kind: Kind of the column, which is published with every model.
        reason: More for the terminal; it has no cell of the column, either.
        otherwise: The feature that the column is if no other column is usable.
        notes: Points to review.
    """

    kind: str
    reason: str
    otherwise: FeatureChoice | None = None
    notes: tuple[str, ...] = ()


ColumnChoice = FeatureChoice | ExclusionChoice
