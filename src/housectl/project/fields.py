"""The mappings in housectl.yaml, and errors between their fields."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    model_validator,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import InitErrorDetails, PydanticCustomError

from housectl.project.problems import Location
from housectl.project.value_types import (
    Duration,
    HttpUrl,
    Integer,
    Label,
    NonEmptyStr,
    Number,
    Origins,
    RootPath,
    Size,
    Workers,
)
from housectl.search.katib_texts import ALGORITHM


class ConfigModel(BaseModel):
    """A mapping of housectl.yaml: immutable, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class CrossFieldError:
    """A value that is valid by itself, but not together with other fields."""

    location: Location
    found: str
    expected: str


def raise_cross_field_errors(errors: Iterable[CrossFieldError]) -> None:
    """Raise all errors as one error of the validated field, each with its own location."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError(
                "cross_field",
                "expected {expected}",
                {"found": error.found, "expected": error.expected},
            ),
            loc=error.location,
            input=None,
        )
        for error in errors
    ]
    if details:
        raise ValidationError.from_exception_data("housectl.yaml", details)


class TargetFields(ConfigModel):
    """The column to predict."""

    name: NonEmptyStr
    """Name of the column."""
    unit: str = ""
    """Unit of the values."""
    description: str = ""
    """Description in one line."""
    response_key: NonEmptyStr = "prediction"
    """Key of the prediction in the server's response."""
    transform: Literal["log"] | None = None
    """log: learn the logarithm. Predictions and errors keep the unit of the target."""


class SplitFields(ConfigModel):
    """The rows that are held out from all trials."""

    method: Literal["hash", "hash-features", "shuffle", "time"] = "hash"
    """By the content of each row (hash), by its features (hash-features), by the seed (shuffle), or
    the latest rows (time). With a hash, added rows move no others."""
    holdout: Annotated[Number, Field(ge=0.05, le=0.5)] = 0.2
    """Fraction of the rows that is held out."""
    group: NonEmptyStr | None = None
    """Column that keeps rows with equal values on one side."""
    column: NonEmptyStr | None = None
    """Column with the time of each row; required by the method time."""

    @model_validator(mode="after")
    def _has_column_exactly_for_time_and_then_no_group(self) -> Self:
        is_time = self.method == "time"
        if is_time != (self.column is not None):
            found = "nothing" if is_time else repr(self.column)
            expected = "a column with the time" if is_time else "nothing without method: time"
            raise_cross_field_errors([CrossFieldError(("column",), found, expected)])
        if is_time and self.group is not None:
            # The rows of a group may have early and late times.
            expected = "nothing with method: time, whose folds keep only equal times together"
            raise_cross_field_errors([CrossFieldError(("group",), repr(self.group), expected)])
        return self


class BudgetFields(ConfigModel):
    """Limits of a search."""

    trials: Annotated[Integer, Field(ge=1, le=10_000)] = 30
    """Number of trials."""
    time: Duration | None = None
    """Wall time after which no trial starts."""
    max_failed: Annotated[Integer, Field(ge=1)] = 3
    """Number of failed trials that ends the search; at most the number of trials."""


class LimitFields(ConfigModel):
    """Limits of one trial."""

    time: Duration | None = 600.0
    """Wall time."""
    memory: Size | None = 4 * 2**30
    """Memory."""


@pydantic_dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class KatibSettings:
    """Settings of the Katib backend."""

    context: NonEmptyStr | None = None
    """Context of the kubeconfig; by default the current one."""
    namespace: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)] = (
        "kubeflow"
    )
    """Namespace of experiments, jobs and the PVC."""
    pvc: NonEmptyStr = "model-storage"
    """Persistent volume claim (PVC) that trials write their models to."""
    image: NonEmptyStr | None = None
    """Image of the trainer; by default the one that `make images` has pushed or built."""
    algorithm: NonEmptyStr = ALGORITHM
    """Algorithm that chooses assignments: housectl's own, or any of Katib's katib-config."""
    cpu: Annotated[str, Field(pattern=r"^\d+m$|^\d+(\.\d+)?$")] = "500m"
    """CPU request of a trial. Its limit is one core, or this request if it is greater."""
    memory: Size = 512 * 2**20
    """Memory request of a trial; its limit is `limits.memory`."""


HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$", max_length=100)]


class ServeFields(ConfigModel):
    """Address, processes and limits of the server."""

    host: NonEmptyStr = "127.0.0.1"
    """IP address or host name to listen on."""
    port: Annotated[Integer, Field(ge=1, le=65535)] = 8005
    """Port to listen on."""
    poll_interval: Annotated[Duration, Field(ge=0.05, le=3600)] | None = None
    """Polling interval; by default 0.25s for a directory, and 2s for an object store."""
    workers: Workers = 1
    """Number of processes that serve; `auto` is one for each usable core."""
    objective_ms: Annotated[Number, Field(gt=0)] = 50.0
    """Time in ms that a prediction may wait; a busier server refuses it with status 503."""
    shadow: NonEmptyStr | None = None
    """Version whose predictions are compared with the champion's; none by default."""
    canary: NonEmptyStr | None = None
    """Version that answers a part of the predictions; none by default."""
    percent: Annotated[Number, Field(gt=0, lt=100)] = 5.0
    """Part of the predictions that the canary answers."""
    canary_header: HeaderName | None = None
    """Header whose value chooses the model; by default the id of the request."""
    api_keys_file: NonEmptyStr | None = None
    """File of hashed API keys, relative to this file; each request needs one. None by default."""
    root_path: RootPath = ""
    """Path under which a proxy serves, such as `/models/boston`; none by default."""
    cors_origins: Origins = ()
    """Origins whose web pages may send requests, such as `https://shop.example`, or `*`."""
    access_log: bool = False
    """Log each request."""
    prediction_log: NonEmptyStr | None = None
    """File that gets features and predictions as JSON lines, relative to this file."""
    prediction_log_sample: Annotated[Number, Field(gt=0, le=1)] = 1.0
    """Fraction of the predicted rows that the prediction log gets."""


class RegistryFields(ConfigModel):
    """A Kubeflow Model Registry that mirrors the history."""

    url: HttpUrl | None = None
    """Root URL of the registry; none for no mirror."""
    name: Label | None = None
    """Name of the registered model; by default the name of the project."""
    token_file: NonEmptyStr | None = None
    """File with a bearer token, relative to this file."""


class VerifyFields(ConfigModel):
    """Requirements on a running server."""

    url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    """URL of the server; by default derived from `serve:`."""
    p99_ms: Annotated[Number, Field(gt=0)] = 50.0
    """p99 latency limit in ms, measured over HTTP."""
    timeout: Duration = 60.0
    """Time limit of a verification, with a rollback and the verification after it."""
    request_timeout: Duration = 5.0
    """Time limit of each request."""
    max_answer: Size = 2**20
    """Largest accepted size of an answer."""
    rollback_on_failure: StrictBool = False
    """Roll back to an earlier champion if predictions of the champion are wrong."""
