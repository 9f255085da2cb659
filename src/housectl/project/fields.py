"""The types of housectl.yaml's values: durations, sizes, ranges."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from housectl.contract.families import Family
from housectl.project.source import Location
from housectl.quantities import parse_quantity

_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")
_SIZE_PATTERN = r"^\d+(\.\d+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$"


def read_duration(value: object) -> object:
    """Return seconds for a text such as `90s`, `10m` or `1h30m`; other values as they are."""
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value)
    if match is None or not value:
        raise ValueError("a duration such as 90s, 10m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return 3600 * hours + 60 * minutes + seconds


def read_size(value: object) -> object:
    """Return bytes for a text such as `512Mi` or `4Gi`; other values as they are."""
    if not isinstance(value, str):
        return value
    if not re.fullmatch(_SIZE_PATTERN, value):
        raise ValueError("a size such as 512Mi or 4Gi")
    return int(parse_quantity(value))


Duration = Annotated[
    float,
    BeforeValidator(read_duration),
    Field(strict=True, gt=0, allow_inf_nan=False),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "string", "pattern": r"^(\d+(\.\d+)?h)?(\d+(\.\d+)?m)?(\d+(\.\d+)?s)?$"},
            ]
        }
    ),
]
Size = Annotated[
    int,
    BeforeValidator(read_size),
    Field(strict=True, gt=0),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "exclusiveMinimum": 0},
                {"type": "string", "pattern": _SIZE_PATTERN},
            ]
        }
    ),
]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Integer = Annotated[int, Field(strict=True)]
NonEmptyStr = Annotated[str, Field(min_length=1)]

AUTO: Final = "auto"
"""The value of `family:` that means all families."""

_FAMILY_CHOICES = (*(family.value for family in Family), AUTO)


def read_family(value: object) -> object:
    """Return the name of a family, or `auto`."""
    if value not in _FAMILY_CHOICES:
        *others, last = map(repr, _FAMILY_CHOICES)
        raise ValueError(f"{', '.join(others)} or {last}")
    return value


FamilyField = Annotated[
    str,
    BeforeValidator(read_family),
    WithJsonSchema({"enum": [*_FAMILY_CHOICES], "type": "string"}),
]


@dataclass(frozen=True)
class OneOf:
    """Annotation of a text that has to be one of the names in a registry."""

    names: tuple[str, ...]

    def __get_pydantic_core_schema__(self, *_: object) -> CoreSchema:
        """Validate like a Literal of these names."""
        return core_schema.literal_schema(list(self.names))


class ConfigModel(BaseModel):
    """A mapping of housectl.yaml: unknown keys are refused, values do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class CrossFieldError:
    """A value that is right by itself, but not beside the others."""

    location: Location
    found: str
    expected: str


def raise_cross_field_errors(misfits: Iterable[CrossFieldError]) -> None:
    """Raise all of them as one error of the field that is validated, each with its own location."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError(
                "misfit", "expected {expected}", {"found": each.found, "expected": each.expected}
            ),
            loc=each.location,
            input=None,
        )
        for each in misfits
    ]
    if details:
        raise ValidationError.from_exception_data("housectl.yaml", details)


class FeatureFields(ConfigModel):
    """A feature's range and description."""

    min: Number
    """Smallest value in the data."""
    max: Number
    """Largest value in the data; larger ones are served and counted."""
    unit: str = ""
    """Unit of the values."""
    description: str = ""
    """One line for people."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError("min up to max")
        return self


class TargetFields(ConfigModel):
    """What is predicted."""

    name: NonEmptyStr
    """The column of the data."""
    unit: str = ""
    """Unit of the values."""
    description: str = ""
    """One line for people."""
    response_key: NonEmptyStr = "prediction"
    """The key of the prediction in a server's answer."""


class SplitFields(ConfigModel):
    """Which rows no trial sees."""

    method: Literal["hash", "shuffle"] = "hash"
    """hash: by each row's content, so that added rows do not reshuffle; shuffle: seeded."""
    holdout: Annotated[Number, Field(ge=0.05, le=0.5)] = 0.2
    """Share of the rows that is held out."""
    group: NonEmptyStr | None = None
    """Column whose equal values stay on one side."""


class BudgetFields(ConfigModel):
    """When a search ends."""

    trials: Annotated[Integer, Field(ge=1, le=10_000)] = 30
    """Trials after which it ends."""
    time: Duration | None = None
    """Wall time after which no trial is started."""
    max_failed: Annotated[Integer, Field(ge=1)] = 3
    """Failed trials that end it; all of them when there are fewer."""


class LimitFields(ConfigModel):
    """What one trial may use."""

    time: Duration | None = 600.0
    """Wall time."""
    memory: Size | None = 4 * 2**30
    """Memory."""


class KatibFields(ConfigModel):
    """Where and how the Katib backend runs trials."""

    context: NonEmptyStr | None = None
    """Context of the kubeconfig; by default the current one."""
    namespace: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)] = (
        "kubeflow"
    )
    """Namespace of experiments, jobs and the claim."""
    pvc: NonEmptyStr = "model-storage"
    """Persistent volume claim that trials write their models to."""
    image: NonEmptyStr | None = None
    """Image of the trainer; by default the one that `make images` has pushed or built."""
    algorithm: NonEmptyStr = "bayesianoptimization"
    """How Katib chooses assignments: any algorithm of its katib-config."""
    cpu: Annotated[str, Field(pattern=r"^\d+m$|^\d+(\.\d+)?$")] = "500m"
    """Cores that a trial is scheduled by; it uses one at most, or as many as are named here."""
    memory: Size = 512 * 2**20
    """Memory that a trial is scheduled by; it may use as much as `limits.memory` says."""


class ServeFields(ConfigModel):
    """Where the server listens."""

    host: NonEmptyStr = "127.0.0.1"
    """Address."""
    port: Annotated[Integer, Field(ge=1, le=65535)] = 8005
    """Port."""


class VerifyFields(ConfigModel):
    """What a running server has to fulfil."""

    url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    """Where the server is; by default where `serve:` says."""
    p99_ms: Annotated[Number, Field(gt=0)] = 50.0
    """Objective for the 99th percentile of the latency, in milliseconds."""
    rollback_on_failure: StrictBool = False
    """Bring the champion before back when the server fails."""
