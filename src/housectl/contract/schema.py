"""The schema: what a row of data means, feature by feature."""

from housectl.contract.record import Record


class Feature(Record, kw_only=True):
    """One input of the model.

    Attributes:
        minimum, maximum: The range of the training data; values outside are served and counted.
        description: One line for people.
    """

    name: str
    minimum: float
    maximum: float
    unit: str = ""
    description: str = ""


class Target(Record, kw_only=True):
    """What is predicted; `response_key` names it in a server's answer."""

    name: str
    unit: str = ""
    description: str = ""
    response_key: str = "prediction"


class Exclusion(Record, kw_only=True):
    """A column of the data that no model may see, and why. Clients may send it; it is ignored."""

    name: str
    reason: str


class Schema(Record, kw_only=True):
    """All columns of the data. Features stand in the order that the model has them in."""

    features: tuple[Feature, ...]
    target: Target
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features in the model's order."""
        return tuple(feature.name for feature in self.features)

    @property
    def excluded_names(self) -> tuple[str, ...]:
        """Names of the excluded columns."""
        return tuple(exclusion.name for exclusion in self.exclusions)
