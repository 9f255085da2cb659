"""The schema of the data: features, target and excluded columns."""

from housectl.contract.record import Record

# Trees compare float32 numbers.
FLOAT32_MAXIMUM = 3.4028234663852886e38


class Feature(Record, kw_only=True):
    """One input of the model.

    Attributes:
        minimum, maximum: Range of the data; the server accepts and counts values outside it.
        description: One line for readers.
    """

    name: str
    minimum: float
    maximum: float
    unit: str = ""
    description: str = ""


class Target(Record, kw_only=True):
    """The predicted column; `response_key` is its name in a server's response."""

    name: str
    unit: str = ""
    description: str = ""
    response_key: str = "prediction"


class Exclusion(Record, kw_only=True):
    """A column that no model uses, with the reason. The server ignores it in requests."""

    name: str
    reason: str


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
