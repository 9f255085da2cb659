"""The JSON Schema that editors check housectl.yaml against."""

import ast
import inspect
import json
from collections.abc import Iterator
from itertools import pairwise
from textwrap import dedent

from pydantic.json_schema import GenerateJsonSchema

from housectl.project.config import ProjectConfig
from housectl.project.fields import ConfigModel, KatibSettings


def json_schema() -> str:
    """Return the schema; the string below each field of a model is its description."""
    schema = ProjectConfig.model_json_schema()
    definitions = {**schema.get("$defs", {}), ProjectConfig.__name__: schema}
    for model in (*_all_models(ConfigModel), KatibSettings):
        if model.__name__ in definitions:
            _describe_fields(definitions[model.__name__]["properties"], model)
    return json.dumps({"$schema": GenerateJsonSchema.schema_dialect} | schema, indent=2) + "\n"


def _describe_fields(properties: dict[str, dict[str, object]], model: type) -> None:
    for base in model.__mro__:
        if issubclass(base, ConfigModel) or base is KatibSettings:
            for name, text in field_descriptions(base).items():
                properties[name].setdefault("description", text)


def field_descriptions(model: type) -> dict[str, str]:
    """Return the string below each field in the source of a model.

    pydantic can read these strings too, but would do so whenever a command loads the project. That
    takes a third of the command's time.
    """
    (definition,) = ast.parse(dedent(inspect.getsource(model))).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101  # a class's source is a class
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(definition.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _all_models(model: type[ConfigModel]) -> Iterator[type[ConfigModel]]:
    for subclass in model.__subclasses__():
        yield subclass
        yield from _all_models(subclass)
