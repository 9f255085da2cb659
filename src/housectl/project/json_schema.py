"""The JSON Schema that editors check housectl.yaml against."""

import ast
import inspect
import json
from collections.abc import Iterator
from itertools import pairwise
from textwrap import dedent

from pydantic.json_schema import GenerateJsonSchema

from housectl.project.config import ProjectConfig
from housectl.project.fields import ConfigModel


def json_schema() -> str:
    """Return the schema; the text below each field of a model is its description."""
    schema = ProjectConfig.model_json_schema()
    parts = {**schema.get("$defs", {}), ProjectConfig.__name__: schema}
    for model in _models(ConfigModel):
        for name, text in field_texts(model).items():
            parts[model.__name__]["properties"][name]["description"] = text
    return json.dumps({"$schema": GenerateJsonSchema.schema_dialect} | schema, indent=2) + "\n"


def field_texts(model: type[ConfigModel]) -> dict[str, str]:
    """Return what stands below each field in the source of a model.

    pydantic can read it too, but does so for every command that loads the project, which takes a
    third of the time that such a command needs.
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


def _models(model: type[ConfigModel]) -> Iterator[type[ConfigModel]]:
    for known in model.__subclasses__():
        yield known
        yield from _models(known)
