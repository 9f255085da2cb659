"""The schema of the data: features, target and excluded columns."""

from enum import StrEnum

from msgspec import UNSET, UnsetType

from housectl.contract.column_types import ColumnType, Datetime, Number
from housectl.contract.record import Record

# Trees compare float32 numbers.
FLOAT32_MAXIMUM = 3.4028234663852886e38

_PLAIN_NUMBER = Number()


class Feature(Record, kw_only=True):
    """One input of the model.

    Attributes:
        minimum, maximum: Range of the data, as doubles; see `cells`. The server accepts and counts
            values outside it.
        description: One line for readers.
        column: Type of the column. It is unset for a number that is never missing, because records
            of earlier versions have no types.
    """

    name: str
    minimum: float
    maximum: float
    unit: str = ""
    description: str = ""
    column: ColumnType | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Check that equal types have equal records."""
        if self.column == _PLAIN_NUMBER:
            raise ValueError("a number that is never missing has a type")

    @property
    def type(self) -> ColumnType:
        """Type of the column."""
        return _PLAIN_NUMBER if self.column is UNSET else self.column


class Transform(StrEnum):
    """Transformation of the target for training; predictions are transformed back."""

    LOG = "log"


class Target(Record, kw_only=True):
    """The predicted column.

    Attributes:
        response_key: Name of the prediction in a server's response.
        transform: Transformation for training; unset for none.
    """

    name: str
    unit: str = ""
    description: str = ""
    response_key: str = "prediction"
    transform: Transform | UnsetType = UNSET


class Exclusion(Record, kw_only=True):
    """A column that no model uses, with the reason. The server ignores it in requests."""

    name: str
    reason: str


def column_record(column: ColumnType) -> ColumnType | UnsetType:
    """Return the form in which a feature stores its type."""
    return UNSET if column == _PLAIN_NUMBER else column


class Schema(Record, kw_only=True):
    """All columns of the data. The features have the model's order."""

    features: tuple[Feature, ...]
    target: Target
    exclusions: tuple[Exclusion, ...] = ()

    def __post_init__(self) -> None:
        """Check that no column occurs twice."""
        names = [*self.feature_names, self.target.name, *self.excluded_names]
        if len(set(names)) < len(names):
            raise ValueError("a column occurs twice")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features in the model's order."""
        return tuple(feature.name for feature in self.features)

    @property
    def excluded_names(self) -> tuple[str, ...]:
        """Names of the excluded columns."""
        return tuple(exclusion.name for exclusion in self.exclusions)

    @property
    def types(self) -> tuple[ColumnType, ...]:
        """Types of the features in the model's order."""
        return tuple(feature.type for feature in self.features)

    @property
    def column_types(self) -> dict[str, ColumnType]:
        """Types of the features that are no numbers or may be missing, by name."""
        return {each.name: each.column for each in self.features if each.column is not UNSET}

    @property
    def earliest_dates(self) -> dict[str, float]:
        """Earliest date of each feature that is a date, as a double; see `cells`."""
        return {
            each.name: each.minimum for each in self.features if isinstance(each.type, Datetime)
        }
