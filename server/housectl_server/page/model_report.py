"""Description of the served model, which GET /model returns and the page shows."""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict

from housectl.contract.bundle import Bundle
from housectl.contract.bundle_record import SHORT_DIGEST
from housectl.contract.cells import Cell, write_date
from housectl.contract.column_types import Boolean, Category, Datetime, Number, UnknownLevels
from housectl.contract.history import Action, HistoryEntry
from housectl.contract.parameters import Value
from housectl.contract.reference import Reference
from housectl.contract.schema import Feature, Target
from housectl_server.model.feature_texts import describe_expected
from housectl_server.model.row_model import example_row
from housectl_server.page.promotion import Promotion

MAX_HISTORY = 200


class TypeName(StrEnum):
    """Name of a column type."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    DATETIME = "datetime"


class _Report(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ErrorsReport(_Report):
    """Errors of a model on the held-out rows.

    Attributes:
        rmse: Root mean squared error, in the target's unit.
        mae: Mean absolute error, in the target's unit; null if it was not measured.
        r2: Coefficient of determination; null if it was not measured.
    """

    rmse: float
    mae: float | None = None
    r2: float | None = None


class CompetitorReport(_Report):
    """A model that the served one was compared with before its promotion.

    Attributes:
        name: Name for readers, such as `champion 3` or `linear model`.
        champion: Number of its history entry, if it was the champion before; null for a baseline.
        errors: Its errors on the same held-out rows.
    """

    name: str
    champion: int | None = None
    errors: ErrorsReport


class DistributionReport(_Report):
    """Numbers of training rows whose values are in each bin.

    Attributes:
        edges: Ascending ends of the bins. The first bin has no lower end, and the last one no upper
            end. Dates are in seconds since 1970, false and true are 0 and 1, and levels have codes
            from 0.
        counts: One for each bin, so one more than edges.
        missing: Number of rows without a value.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    missing: int


class FeatureReport(_Report):
    """An input of the model.

    Attributes:
        expected: Valid values in words.
        nullable: True if the value may be missing.
        minimum, maximum: Range in the data; null for booleans and categories. Dates are texts.
        levels: Texts of a category in the data; null for other types.
        unknown_levels: Treatment of other texts: `missing`, `refuse` or `group`; null for other
            types.
        format: Format of a date: `iso8601`, or one of Python's `strptime`; null for other types.
        example: A valid value.
        distribution: Distribution in the training rows; null for models of earlier versions.
    """

    name: str
    type: TypeName
    unit: str
    description: str
    expected: str
    nullable: bool
    minimum: float | str | None = None
    maximum: float | str | None = None
    levels: tuple[str, ...] | None = None
    unknown_levels: UnknownLevels | None = None
    format: str | None = None
    example: Cell
    distribution: DistributionReport | None = None


class TargetReport(_Report):
    """The predicted column.

    Attributes:
        response_key: Name of the prediction in an answer of /predict.
        range: Smallest and largest target of the training rows; null for models of earlier
            versions.
        distribution: Distribution in the training rows; null for models of earlier versions.
    """

    name: str
    unit: str
    description: str
    response_key: str
    range: tuple[float, float] | None = None
    distribution: DistributionReport | None = None


class HistoryReport(_Report):
    """One change of champion.

    Attributes:
        number: 1 for the first change.
        action: `promotion` or `rollback`.
        version: First digits of the digest.
        at: Time in UTC, ISO 8601.
        reason: The verdict's sentence, or the reason of the rollback.
        override: Reason of a promotion against the verdict; null for other changes.
        holdout_rmse: Error on the held-out rows, in the target's unit.
    """

    number: int
    action: Action
    version: str
    digest: str
    at: str
    reason: str
    override: str | None = None
    holdout_rmse: float

    @classmethod
    def of(cls, entry: HistoryEntry) -> Self:
        """Return the report of an entry, without the name of its author."""
        return cls(
            number=entry.number,
            action=entry.action,
            version=entry.bundle[:SHORT_DIGEST],
            digest=entry.bundle,
            at=entry.at,
            reason=entry.reason,
            override=entry.override_reason,
            holdout_rmse=math.sqrt(entry.holdout_mse),
        )


class ModelReport(_Report):
    """The served model.

    Attributes:
        version: First digits of the digest.
        champion: Number of the history entry that is served.
        serving_since: Time at which this server began to serve it: UTC, ISO 8601.
        promoted_at: Time of the promotion of this bundle: UTC, ISO 8601.
        verdict: Sentence of the verdict at its promotion.
        override: Reason of its promotion against the verdict; null otherwise.
        family: Kind of model.
        hyperparameters: Hyperparameters of the family.
        errors: Errors on the held-out rows.
        competitors: Models that it was compared with, on the same rows.
        features: Inputs in the model's order.
        ignored: Names of fields that requests may have and the model ignores.
        history: The newest changes of champion, the oldest first.
    """

    version: str
    digest: str
    champion: int
    serving_since: str
    promoted_at: str
    verdict: str
    override: str | None
    family: str
    hyperparameters: dict[str, Value]
    errors: ErrorsReport
    competitors: list[CompetitorReport]
    target: TargetReport
    features: list[FeatureReport]
    ignored: list[str]
    history: list[HistoryReport]


def describe_model(
    bundle: Bundle,
    promotion: Promotion,
    history: Sequence[HistoryEntry],
    *,
    serving_since: str,
) -> ModelReport:
    """Return the description of the newest champion.

    Args:
        bundle: Bundle of the champion.
        promotion: Promotion of the bundle.
        history: All history entries, the oldest first.
        serving_since: Time at which this server began to serve it: UTC, ISO 8601.
    """
    schema, recipe = bundle.record.schema, bundle.record.recipe
    row = example_row(bundle.golden).row
    return ModelReport(
        version=bundle.version,
        digest=bundle.digest,
        champion=history[-1].number,
        serving_since=serving_since,
        promoted_at=promotion.entry.at,
        verdict=promotion.entry.reason,
        override=promotion.entry.override_reason,
        family=recipe.family,
        hyperparameters=recipe.assignment,
        errors=_errors(bundle, promotion),
        competitors=[CompetitorReport.model_validate(each) for each in promotion.competitors],
        target=_target(schema.target, bundle.reference),
        features=[
            _feature(feature, example, bundle.reference)
            for feature, example in zip(schema.features, row, strict=True)
        ],
        ignored=[*schema.excluded_names, schema.target.name],
        history=[HistoryReport.of(entry) for entry in history[-MAX_HISTORY:]],
    )


def _errors(bundle: Bundle, promotion: Promotion) -> ErrorsReport:
    if promotion.errors is None:
        return ErrorsReport(rmse=math.sqrt(bundle.holdout_mse))
    return ErrorsReport.model_validate(promotion.errors)


def _target(target: Target, reference: Reference | None) -> TargetReport:
    report = TargetReport.model_validate(target)
    if reference is None:
        return report
    distribution = DistributionReport.model_validate(reference.target)
    return report.model_copy(update={"range": reference.target_range, "distribution": distribution})


def _feature(feature: Feature, example: Cell, reference: Reference | None) -> FeatureReport:
    column = feature.type
    report = FeatureReport(
        name=feature.name,
        type=TypeName(str(column.__struct_config__.tag)),
        unit=feature.unit,
        description=feature.description,
        expected=describe_expected(feature),
        nullable=column.nullable,
        example=example,
    )
    values = _values_in_training(feature)
    if reference is not None:
        counts = reference.features[feature.name]
        values["distribution"] = DistributionReport.model_validate(counts)
    return report.model_copy(update=values)


def _values_in_training(feature: Feature) -> dict[str, object]:
    match feature.type:
        case Number():
            return {"minimum": feature.minimum, "maximum": feature.maximum}
        case Boolean():
            return {}
        case Category() as column:
            return {"levels": column.levels, "unknown_levels": column.unknown_levels}
        case Datetime() as column:
            return {
                "minimum": write_date(column, feature.minimum),
                "maximum": write_date(column, feature.maximum),
                "format": column.format,
            }
