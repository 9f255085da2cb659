"""The template of a drafted project file."""

from collections.abc import Mapping

from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.families import Family
from housectl.contract.recipe import OBJECTIVE_FOLDS, Split
from housectl.contract.schema import Schema
from housectl.documentation import documentation_url
from housectl.scaffold.draft_choices import DraftChoices
from housectl.scaffold.project_file.feature_lines import feature_line
from housectl.scaffold.project_file.yaml_text import yaml_mapping, yaml_scalar, yaml_value
from housectl.scaffold.search_choices import SearchChoices

DRAFT_SEED = 42

_TEMPLATE = """\
# Drafted by `housectl init`, ready for `housectl tune`. Omitted fields have their defaults.
name: {name}    # experiments are named after it
data: {data}    # relative to this file
{csv}
# Units and descriptions appear at /docs. POST /predict returns the prediction under response_key.
target: {{name: {target}, unit: {unit}, description: "", response_key: prediction{transform}}}

# Input columns, each with its range in the data. The server accepts and counts values outside it.
# Types: number (the default), boolean, category, datetime. See {page}
features:
{features}

# Columns that no model may use. The server ignores them in requests, and publishes the reasons.
exclude:{exclusions}

{family}
{space}
split: {split}    # the fraction of rows that is held out from all trials
seed: {seed}
{folds}budget: {{trials: 30}}     # add time: 10m to limit the wall time
"""


def render_project_file(
    schema: Schema,
    choices: DraftChoices,
    *,
    csv_format: CsvFormat,
    name: str,
    data: str,
) -> str:
    """Return the text of a project file with the columns of a schema."""
    exclusions = [
        f"\n  {yaml_scalar(exclusion.name)}: {yaml_scalar(exclusion.reason)}"
        for exclusion in schema.exclusions
    ]
    return _TEMPLATE.format(
        name=name,
        data=yaml_scalar(data),
        csv=_csv_line(csv_format),
        page=documentation_url("data.md"),
        target=yaml_scalar(schema.target.name),
        unit=yaml_scalar(schema.target.unit),
        features="\n".join(map(feature_line, schema.features)),
        exclusions="".join(exclusions) or " {}",
        transform=f", transform: {choices.transform}" if choices.transform else "",
        split=_split_fields(choices.split),
        seed=DRAFT_SEED,
        family=_family_lines(choices.search),
        space=_space_lines(choices.search),
        folds=_folds_line(choices.search),
    )


def _csv_line(csv_format: CsvFormat) -> str:
    """Return the line for a format that is not the default; empty for the default."""
    differences = csv_format.differences
    return f"csv: {yaml_mapping(differences)}\n" if differences else ""


def _family_lines(search: SearchChoices) -> str:
    if search.family is None:
        return (
            "# All families share the budget, because no single one is the best for all data.\n"
            f"family: auto             # or {' or '.join(Family)}"
        )
    others = ["auto", *(family for family in Family if family is not search.family)]
    return f"family: {search.family}          # or {' or '.join(others)}"


def _space_lines(search: SearchChoices) -> str:
    if not search.spaces:
        return "space: default           # or wide, or for each family its ranges"
    lines = ["space:                   # or default or wide; other families have the default"]
    for family, parameters in search.spaces.items():
        lines.append(f"  {family}:")
        for name, value in parameters.items():
            text = yaml_mapping(value) if isinstance(value, Mapping) else yaml_value(value)
            lines.append(f"    {name}: {text}")
    return "\n".join(lines)


def _folds_line(search: SearchChoices) -> str:
    """Return the line for another number of folds than the default; empty for the default."""
    if search.folds == OBJECTIVE_FOLDS:
        return ""
    return f"folds: {search.folds}                 # folds that measure each trial; or 5\n"


def _split_fields(split: Split) -> str:
    column = {} if split.time_column is None else {"column": split.time_column}
    return yaml_mapping({"method": split.method, **column, "holdout": split.holdout})
