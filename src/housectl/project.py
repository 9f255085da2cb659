"""housectl.yaml: the one file that a user edits, read with every problem told at once."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from housectl.contract.parameters import PARAMETERS
from housectl.contract.recipe import Family, Split, SplitMethod, Value
from housectl.contract.schema import Exclusion, Feature, Schema, Target
from housectl.experiment import (
    Budget,
    Experiment,
    Limits,
    Parameter,
    ParameterKind,
    SearchSpace,
)
from housectl.project_fields import (
    BudgetFields,
    Choices,
    FeatureFields,
    LimitFields,
    Model,
    ParameterFields,
    Range,
    ServeFields,
    SplitFields,
    TargetFields,
    Text,
    VerifyFields,
)
from housectl.project_source import Override, read_source, validated
from housectl.spaces import between, default_space, space_of, wide_space
from housectl.verdict import Gate

MAXIMUM_WORKERS = 4
AUTO = "auto"

ParameterMap = dict[str, ParameterFields]
FamilySpace = Literal["default", "wide"] | ParameterMap


def _kind_of_space(value: object) -> str:
    if not isinstance(value, dict):
        return "named"
    return "families" if _names_families(value) else "parameters"


def _names_families(space: Mapping[str, object]) -> bool:
    return bool(set(space) & set(Family))


SpaceFields = Annotated[
    Annotated[Literal["default", "wide"], Tag("named")]
    | Annotated[ParameterMap, Tag("parameters")]
    | Annotated[dict[Family, FamilySpace], Tag("families")],
    Discriminator(_kind_of_space),
]


class Project(Model):
    """What housectl.yaml says."""

    name: Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$", max_length=20)]
    """Lower case letters, digits and dashes; experiments are named after it."""
    data: Text
    """A CSV file with a header, relative to this file."""
    target: TargetFields
    """What is predicted."""
    features: Annotated[dict[str, FeatureFields], Field(min_length=1)]
    """The columns that the model sees, in its order."""
    exclude: dict[str, Text] = Field(default_factory=dict)
    """Columns that no model may see, with the reason. Clients may send them."""
    family: Family | Literal["auto"] = Family.RANDOM_FOREST
    """The kind of model; auto searches both and takes the better."""
    space: SpaceFields = "default"
    """default, wide, or each parameter's range, choices or constant; with auto, one per family."""
    split: SplitFields = SplitFields()
    """Which rows no trial sees."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
    """Decides split, folds, models and search."""
    budget: BudgetFields = BudgetFields()
    """When a search ends."""
    limits: LimitFields = LimitFields()
    """What one trial may use."""
    backend: Literal["local"] = "local"
    """Where experiments run."""
    workers: Annotated[int, Field(ge=1, le=MAXIMUM_WORKERS)] = 2
    """Trials at the same time."""
    gate: Gate = Gate.TWO_KEYS
    """The rule that a challenger has to pass."""
    serve: ServeFields = ServeFields()
    """Where the server listens."""
    verify: VerifyFields = VerifyFields()
    """What a running server has to fulfil."""
    store: Text = ".housectl/store"
    """The champion store, relative to this file."""
    deploy_details: Text = "deploy_details.json"
    """Where the outcome of the last verdict is written, relative to this file."""

    @field_validator("features")
    @classmethod
    def _target_is_no_feature(
        cls, features: dict[str, FeatureFields], info: ValidationInfo
    ) -> dict[str, FeatureFields]:
        target = info.data.get("target")
        if target is not None and target.name in features:
            raise ValueError(f"the target {target.name} not to be among them")
        return features

    @field_validator("exclude")
    @classmethod
    def _excluded_is_not_used(cls, exclude: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        target = info.data.get("target")
        used = {*info.data.get("features", {}), *([target.name] if target else [])}
        if both := sorted(used & set(exclude)):
            raise ValueError(f"none of {', '.join(both)}, which are used above")
        return exclude

    @field_validator("space")
    @classmethod
    def _space_fits_family(cls, space: SpaceFields, info: ValidationInfo) -> SpaceFields:
        family = info.data.get("family", AUTO)
        if isinstance(space, dict):
            if (family == AUTO) != (_kind_of_space(space) == "families"):
                raise ValueError(
                    "a mapping for each family when `family: auto`, and only then of parameters"
                )
            problems = [
                problem
                for known, part in _by_family(family, space).items()
                for problem in _space_problems(known, part)
            ]
            if problems:
                raise ValueError("; ".join(problems))
        return space

    @field_validator("budget")
    @classmethod
    def _budget_allows_its_failures(cls, budget: BudgetFields) -> BudgetFields:
        if budget.max_failed > budget.trials:
            raise ValueError(f"max_failed ({budget.max_failed}) up to trials ({budget.trials})")
        return budget

    @property
    def schema_record(self) -> Schema:
        """The schema as bundles have it."""
        return Schema(
            features=tuple(
                Feature(
                    name=name,
                    minimum=fields.min,
                    maximum=fields.max,
                    unit=fields.unit,
                    meaning=fields.meaning,
                )
                for name, fields in self.features.items()
            ),
            target=Target(
                name=self.target.name,
                unit=self.target.unit,
                meaning=self.target.meaning,
                response_key=self.target.response_key,
            ),
            exclusions=tuple(
                Exclusion(name=name, reason=reason) for name, reason in self.exclude.items()
            ),
        )

    @property
    def split_record(self) -> Split:
        """The split as recipes have it."""
        return Split(
            method=SplitMethod(self.split.method),
            holdout=self.split.holdout,
            group=self.split.group,
        )

    @property
    def server_url(self) -> str:
        """Where the server is."""
        host = "127.0.0.1" if self.serve.host in {"0.0.0.0", "::"} else self.serve.host  # noqa: S104
        return (self.verify.url or f"http://{host}:{self.serve.port}").rstrip("/")

    def experiment(self, name: str) -> Experiment:
        """Return the experiment that this file describes."""
        return Experiment(
            name=name,
            spaces={
                family: _search_space(family, part)
                for family, part in _by_family(self.family, self.space).items()
            },
            budget=Budget(
                trials=self.budget.trials,
                seconds=self.budget.time,
                max_failed=self.budget.max_failed,
            ),
            limits=Limits(seconds=self.limits.time, memory=self.limits.memory),
            workers=self.workers,
            seed=self.seed,
        )

    def default_experiment_name(self, now: datetime) -> str:
        """Return a name that says when the experiment began."""
        return f"{self.name}-{now:%Y%m%d-%H%M%S}"


def load_project(path: Path, *, overrides: Mapping[str, Override] | None = None) -> Project:
    """Read housectl.yaml.

    Args:
        path: The file.
        overrides: Values of flags and environment variables by their dotted fields.

    Raises:
        ProjectError: It tells every problem, each with its line.
    """
    return validated(Project, read_source(path, overrides or {}))


def json_schema() -> str:
    """Return the JSON Schema that editors check housectl.yaml against."""
    return json.dumps(Project.model_json_schema(), indent=2) + "\n"


def _by_family(family: str, space: SpaceFields) -> dict[Family, FamilySpace]:
    families = tuple(Family) if family == AUTO else (Family(family),)
    if isinstance(space, dict) and _names_families(space):
        parts = cast("dict[Family, FamilySpace]", space)
        return {known: parts.get(known, "default") for known in families}
    return dict.fromkeys(families, cast("FamilySpace", space))


def _space_problems(family: Family, space: FamilySpace) -> Iterator[str]:
    if isinstance(space, str):
        return
    if not any(isinstance(fields, Range | Choices) for fields in space.values()):
        yield f"at least one range or choice for {family}"
    for name, fields in space.items():
        known = PARAMETERS[family].get(name)
        if known is None:
            yield f"{name} to be a parameter of {family} ({', '.join(PARAMETERS[family])})"
            continue
        for value in _values(fields):
            try:
                known.read(value)
            except ValueError:
                yield f"{name} to be {known}, not {value!r}"


def _values(fields: ParameterFields) -> tuple[Value, ...]:
    if isinstance(fields, Range):
        return tuple(int(end) if end.is_integer() else end for end in (fields.min, fields.max))
    return fields.choices if isinstance(fields, Choices) else (fields,)


def _search_space(family: Family, space: FamilySpace) -> SearchSpace:
    if space == "default":
        return default_space(family)
    if space == "wide":
        return wide_space(family)
    parameters = tuple(
        _parameter(family, name, fields)
        for name, fields in space.items()
        if isinstance(fields, Range | Choices)
    )
    fixed = {
        name: PARAMETERS[family][name].read(fields)
        for name, fields in space.items()
        if not isinstance(fields, Range | Choices)
    }
    return space_of(family, parameters, fixed)


def _parameter(family: Family, name: str, fields: Range | Choices) -> Parameter:
    if isinstance(fields, Range):
        return between(family, name, fields.min, fields.max, log=fields.log)
    read = PARAMETERS[family][name].read
    return Parameter(
        name=name,
        kind=ParameterKind.CATEGORICAL,
        choices=tuple(read(choice) for choice in fields.choices),
    )
