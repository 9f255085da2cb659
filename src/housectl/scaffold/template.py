"""The template of a drafted project file."""

import math
import re

from housectl.contract.families import Family
from housectl.contract.recipe import Split
from housectl.contract.schema import Feature, Schema
from housectl.scaffold.draft_choices import DraftChoices

_PLAIN_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_MAX_EXACT_INTEGER = 1e15
_FAMILY = Family.RANDOM_FOREST

DRAFT_SEED = 42

_TEMPLATE = """\
# Drafted by `housectl init`, ready for `housectl tune`. Omitted fields have their defaults.
name: {name}    # experiments are named after it
data: {data}    # relative to this file

# Units and descriptions appear at /docs. POST /predict returns the prediction under response_key.
target: {{name: {target}, unit: "", description: "", response_key: prediction{transform}}}

# Input columns, each with its range in the data. The server accepts and counts values outside it.
features:
{features}

# Columns that no model may use. The server ignores them in requests, and publishes the reasons.
exclude:{exclusions}

family: {family}    # or {other_families}, or auto for all
space: default           # or wide, or the ranges to search: {{max_features: {{min: 0.2, max: 1}}}}
split: {split}    # the fraction of rows that is held out from all trials
seed: {seed}
budget: {{trials: 30}}     # add time: 10m to limit the wall time
workers: 2               # trials that run at the same time
"""


def render_project_file(schema: Schema, choices: DraftChoices, *, name: str, data: str) -> str:
    """Return the text of a project file with the columns of a schema."""
    exclusions = [
        f"\n  {_yaml_scalar(exclusion.name)}: {_yaml_scalar(exclusion.reason)}"
        for exclusion in schema.exclusions
    ]
    return _TEMPLATE.format(
        name=name,
        data=_yaml_scalar(data),
        target=_yaml_scalar(schema.target.name),
        features="\n".join(map(_feature_line, schema.features)),
        exclusions="".join(exclusions) or " {}",
        family=_FAMILY,
        transform=f", transform: {choices.transform}" if choices.transform else "",
        split=_split_line(choices.split),
        seed=DRAFT_SEED,
        other_families=", or ".join(family for family in Family if family is not _FAMILY),
    )


def _split_line(split: Split) -> str:
    column = f", column: {_yaml_scalar(split.column)}" if split.column else ""
    return f"{{method: {split.method}{column}, holdout: {split.holdout}}}"


def _feature_line(feature: Feature) -> str:
    low, high = _yaml_number(feature.minimum), _yaml_number(feature.maximum)
    return f'  {_yaml_scalar(feature.name)}: {{min: {low}, max: {high}, unit: "", description: ""}}'


def _yaml_number(value: float) -> str:
    return (
        str(int(value)) if value.is_integer() and abs(value) < _MAX_EXACT_INTEGER else repr(value)
    )


def _yaml_scalar(text: str) -> str:
    """Return a text as a scalar of YAML 1.1 and 1.2, with quotes only if necessary."""
    import yaml

    if _PLAIN_WORD.fullmatch(text) and yaml.safe_load(text) == text:
        return text
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=math.inf).rstrip()
