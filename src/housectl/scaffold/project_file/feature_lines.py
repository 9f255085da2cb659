"""The lines of features in a drafted project file."""

from collections.abc import Mapping

from housectl.contract.cells import write_date
from housectl.contract.column_types import (
    ISO_8601,
    Boolean,
    Category,
    Datetime,
    Number,
    UnknownLevels,
)
from housectl.contract.schema import Feature
from housectl.scaffold.project_file.yaml_text import yaml_mapping, yaml_scalar


def feature_line(feature: Feature) -> str:
    """Return the line of a feature, with the fields that its author may fill in."""
    nullable = {"nullable": True} if feature.type.nullable else {}
    values = {**_type_fields(feature), **nullable, **_texts(feature)}
    return f"  {yaml_scalar(feature.name)}: {yaml_mapping(values)}"


def _type_fields(feature: Feature) -> Mapping[str, object]:
    match feature.type:
        case Number():
            return {"min": feature.minimum, "max": feature.maximum}
        case Boolean():
            return {"type": "boolean"}
        case Category(levels=levels, unknown_levels=unknown_levels):
            default = unknown_levels is UnknownLevels.MISSING
            treatment = {} if default else {"unknown_levels": unknown_levels}
            return {"type": "category", "levels": levels, **treatment}
        case Datetime(format=date_format):
            known = {} if date_format == ISO_8601 else {"format": date_format}
            low, high = (
                write_date(feature.type, each) for each in (feature.minimum, feature.maximum)
            )
            return {"type": "datetime", **known, "min": low, "max": high}


def _texts(feature: Feature) -> Mapping[str, str]:
    unit = {"unit": feature.unit} if isinstance(feature.type, Number) else {}
    return {**unit, "description": feature.description}
