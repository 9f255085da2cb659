"""The model of housectl.yaml; loading it reports all problems at once."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

from msgspec import UNSET
from pydantic import Field, StrictBool, ValidationInfo, field_validator

from housectl.backend_registry import BACKENDS, DEFAULT_BACKEND
from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.families import Family
from housectl.contract.golden import GoldenSource
from housectl.contract.recipe import OBJECTIVE_FOLDS, Split, SplitMethod
from housectl.contract.schema import Exclusion, Schema, Target, Transform
from housectl.cores import usable_cores
from housectl.errors import UsageError
from housectl.experiment import Budget, Experiment, Limits, lag_of
from housectl.project.csv_fields import CsvFields
from housectl.project.feature_fields import FeatureFields
from housectl.project.fields import (
    BudgetFields,
    ConfigModel,
    CrossFieldError,
    KatibSettings,
    LimitFields,
    RegistryFields,
    ServeFields,
    SplitFields,
    TargetFields,
    VerifyFields,
    raise_cross_field_errors,
)
from housectl.project.override import Override
from housectl.project.problems import describe_choices
from housectl.project.source import read_source, validate
from housectl.project.space import SpaceFields, search_spaces, space_errors
from housectl.project.value_types import (
    AUTO,
    MAX_WORKERS,
    FamilyField,
    Folds,
    Integer,
    Lag,
    NonEmptyStr,
    OneOf,
    StoreText,
    Workers,
)
from housectl.verdict import Gate


class ProjectConfig(ConfigModel):
    """The content of housectl.yaml."""

    name: Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$", max_length=20)]
    """Lower-case letters, digits and dashes; experiments are named after it."""
    data: NonEmptyStr
    """A CSV file with a header, plain or compressed, or a Parquet file; relative to this file."""
    csv: CsvFields = CsvFields()
    """Format of the CSV file."""
    target: TargetFields
    """The column to predict."""
    features: Annotated[dict[str, FeatureFields], Field(min_length=1)]
    """The model's input columns, in order."""
    exclude: dict[str, NonEmptyStr] = Field(default_factory=dict)
    """Columns that no model may use, with the reason. Clients may send them."""
    family: FamilyField = Family.RANDOM_FOREST.value
    """The model family; auto searches all families and keeps the best model."""
    space: SpaceFields = "default"
    """default, wide, or each parameter's range, choices or constant; with auto, one per family."""
    split: SplitFields = SplitFields()
    """The rows that are held out from all trials."""
    seed: Annotated[Integer, Field(ge=0, lt=2**32)] = 42
    """Seed of split, folds, models and search."""
    folds: Folds = OBJECTIVE_FOLDS
    """Number of folds of the objective; 1 is a single part of a fifth of the training rows."""
    budget: BudgetFields = BudgetFields()
    """Limits of a search."""
    limits: LimitFields = LimitFields()
    """Limits of one trial."""
    backend: Annotated[str, OneOf(tuple(BACKENDS))] = DEFAULT_BACKEND
    """The backend that runs experiments."""
    katib: KatibSettings = KatibSettings()
    """Settings of the Katib backend."""
    workers: Workers = AUTO
    """Number of trials that run at the same time; auto: one for each core, or 3 on Katib."""
    lag: Lag | None = None
    """A trial's values depend on trials that are earlier by at least this; by default the smallest
    of 8, 16, 32, … that is at least the number of workers."""
    prune: StrictBool = True
    """End trials that can hardly beat the best one before them."""
    golden: GoldenSource = GoldenSource.DATA
    """The origin of the golden rows, which are published with each model."""
    gate: Gate = Gate.HOLDOUT_AND_CV
    """The rule for promotion of a challenger."""
    serve: ServeFields = ServeFields()
    """Address of the server."""
    verify: VerifyFields = VerifyFields()
    """Requirements on a running server."""
    registry: RegistryFields = RegistryFields()
    """A Kubeflow Model Registry that mirrors the history."""
    store: StoreText = ".housectl/store"
    """The champion store: a path relative to this file, or a URL such as s3://BUCKET/PREFIX."""
    deploy_details: NonEmptyStr = "deploy_details.json"
    """File with the outcome of the last verdict, relative to this file."""

    @field_validator("features")
    @classmethod
    def _check_target_is_no_feature(
        cls, features: dict[str, FeatureFields], info: ValidationInfo
    ) -> dict[str, FeatureFields]:
        target = info.data.get("target")
        if target is not None and target.name in features:
            raise_cross_field_errors(
                [CrossFieldError((target.name,), "the target", "only input columns")]
            )
        return features

    @field_validator("exclude")
    @classmethod
    def _check_excluded_is_not_used(
        cls, exclude: dict[str, str], info: ValidationInfo
    ) -> dict[str, str]:
        target = info.data.get("target")
        used = {*info.data.get("features", {}), *([target.name] if target else [])}
        raise_cross_field_errors(
            CrossFieldError((name,), "a target or feature column", "only unused columns")
            for name in exclude
            if name in used
        )
        return exclude

    @field_validator("space")
    @classmethod
    def _check_space_fits_family(cls, space: SpaceFields, info: ValidationInfo) -> SpaceFields:
        if "family" in info.data:
            raise_cross_field_errors(space_errors(space, _families_of(info.data["family"])))
        return space

    @field_validator("split")
    @classmethod
    def _check_split_columns_exist(cls, split: SplitFields, info: ValidationInfo) -> SplitFields:
        if {"features", "exclude"} <= info.data.keys():
            features, excluded = info.data["features"], info.data["exclude"]
            raise_cross_field_errors(_split_errors(split, features, excluded))
        return split

    @field_validator("budget")
    @classmethod
    def _check_each_family_has_a_trial(
        cls, budget: BudgetFields, info: ValidationInfo
    ) -> BudgetFields:
        families = _families_of(info.data.get("family", Family.RANDOM_FOREST))
        if budget.trials < len(families):
            expected = f"at least {len(families)}, one for each family"
            raise_cross_field_errors([CrossFieldError(("trials",), str(budget.trials), expected)])
        return budget

    @field_validator("lag")
    @classmethod
    def _check_lag_is_not_below_workers(cls, lag: int | None, info: ValidationInfo) -> int | None:
        workers = info.data.get("workers", AUTO)
        if lag is not None and workers != AUTO and lag < workers:
            expected = f"at least the number of workers, {workers}"
            raise_cross_field_errors([CrossFieldError((), str(lag), expected)])
        return lag

    @property
    def schema_record(self) -> Schema:
        """The schema, as bundles store it."""
        return Schema(
            features=tuple(fields.feature(name) for name, fields in self.features.items()),
            target=Target(
                name=self.target.name,
                unit=self.target.unit,
                description=self.target.description,
                response_key=self.target.response_key,
                transform=Transform(self.target.transform) if self.target.transform else UNSET,
            ),
            exclusions=tuple(
                Exclusion(name=name, reason=reason) for name, reason in self.exclude.items()
            ),
        )

    @property
    def split_record(self) -> Split:
        """The split, as recipes store it."""
        return Split(
            method=SplitMethod(self.split.method),
            holdout=self.split.holdout,
            group=self.split.group,
            column=self.split.column or UNSET,
        )

    @property
    def csv_format(self) -> CsvFormat:
        """The format of the data file, if it is CSV."""
        return self.csv.record

    @property
    def server_url(self) -> str:
        """URL of the server."""
        host = "127.0.0.1" if self.serve.host in {"0.0.0.0", "::"} else self.serve.host  # noqa: S104
        return (self.verify.url or f"http://{host}:{self.serve.port}").rstrip("/")

    @property
    def parallel_trials(self) -> int:
        """Number of workers; `auto` depends on the backend, and locally on this machine's cores."""
        if self.workers != AUTO:
            return self.workers
        return min(BACKENDS[self.backend].workers or usable_cores(), self.lag or MAX_WORKERS)

    def experiment(self, name: str) -> Experiment:
        """Return the experiment that the file describes."""
        return Experiment(
            name=name,
            spaces=search_spaces(self.space, _families_of(self.family)),
            budget=Budget(
                trials=self.budget.trials,
                seconds=self.budget.time,
                max_failed=min(self.budget.max_failed, self.budget.trials),
            ),
            limits=Limits(seconds=self.limits.time, memory=self.limits.memory),
            workers=self.parallel_trials,
            seed=self.seed,
            lag=self.lag or lag_of(self.parallel_trials),
            prune=self.prune,
        )

    def default_experiment_name(self, now: datetime) -> str:
        """Return a name that contains the start time of the experiment."""
        return f"{self.name}-{now:%Y%m%d-%H%M%S}"


def load_config(path: Path, *, overrides: Mapping[str, Override] | None = None) -> ProjectConfig:
    """Read housectl.yaml.

    Args:
        path: The file.
        overrides: Values of flags and environment variables by their dotted fields.

    Raises:
        ProjectError: The file has problems; the message lists each with its line.
        UsageError: The file has no problem, but an override is invalid or does not fit it.
    """
    try:
        return validate(ProjectConfig, read_source(path, overrides or {}))
    except UsageError:
        validate(ProjectConfig, read_source(path, {}))
        raise


def _split_errors(
    split: SplitFields, features: Mapping[str, FeatureFields], excluded: Mapping[str, str]
) -> Iterator[CrossFieldError]:
    """Yield the errors of a split's columns; the time is a number or a date."""
    times = [name for name, each in features.items() if each.type in {"number", "datetime"}]
    for field, name, columns in (("group", split.group, features), ("column", split.column, times)):
        choices = [*columns, *excluded]
        if name is not None and name not in choices:
            yield CrossFieldError((field,), repr(name), describe_choices(name, choices))


def _families_of(family: str) -> tuple[Family, ...]:
    return tuple(Family) if family == AUTO else (Family(family),)
