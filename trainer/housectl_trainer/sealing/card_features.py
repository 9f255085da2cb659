"""The features in a model card: their types, ranges, levels and missing values."""

from collections.abc import Sequence

import numpy as np

from housectl.contract.cells import write_cell
from housectl.contract.column_types import Boolean, Category, Datetime, Number
from housectl.contract.schema import Exclusion, Feature
from housectl_trainer.data import Dataset
from housectl_trainer.sealing.markdown import bullets, code, table
from housectl_trainer.subset import Floats

_SHOWN_LEVELS = 5
_TYPES = {Number: "number", Boolean: "boolean", Category: "category", Datetime: "date"}


def features_section(dataset: Dataset) -> str:
    """Return the section on the features and the excluded columns."""
    schema = dataset.shared.schema
    header = ("feature", "type", "unit", "in the data", "missing", "description")
    rows = (
        _row(feature, dataset.values[:, number]) for number, feature in enumerate(schema.features)
    )
    return f"""\
## Features

{table(header, rows)}

Excluded columns:

{bullets(map(_exclusion, schema.exclusions))}
"""


def _row(feature: Feature, values: Floats) -> Sequence[str]:
    return (
        f"`{feature.name}`",
        _TYPES[type(feature.type)],
        feature.unit,
        _content(feature),
        f"{np.isnan(values).sum()} of {len(values)} rows"
        if feature.type.nullable
        else "not allowed",
        feature.description,
    )


def _content(feature: Feature) -> str:
    match feature.type:
        case Boolean():
            return "false, true"
        case Category(levels=levels, unknown_levels=unknown):
            more = ", …" if len(levels) > _SHOWN_LEVELS else ""
            shown = ", ".join(map(code, levels[:_SHOWN_LEVELS]))
            return f"{len(levels)} levels: {shown}{more}; {unknown.description}"
        case Datetime() as column:
            first, last = (write_cell(column, day) for day in (feature.minimum, feature.maximum))
            return f"{first} to {last}"
        case _:
            return f"{feature.minimum:g} to {feature.maximum:g}"


def _exclusion(exclusion: Exclusion) -> str:
    return f"`{exclusion.name}`: {exclusion.reason}"
