"""The check of a server's OpenAPI document against the features of the champion's bundle."""

from collections.abc import Iterator, Mapping, Sequence

from housectl.contract.bundle import Bundle
from housectl.contract.column_types import Boolean, Category, ColumnType, Number, UnknownLevels
from housectl.contract.schema import Feature
from housectl.verification.client import JSON_TYPE, Response
from housectl.verification.outcome import Outcome
from housectl.verification.server_checks import ServerCheck, shortened

_BODY_SCHEMA = ("paths", "/predict", "post", "requestBody", "content", JSON_TYPE, "schema")


def features_check(openapi: Response, bundle: Bundle) -> ServerCheck:
    """Check that the OpenAPI document describes the features of the bundle.

    It must require the features without missing values, in order, and have each feature's type,
    null if values can be missing, and the levels of a category that refuses others.
    """
    features = bundle.record.schema.features
    forms = body_forms(openapi)
    row = next((form for form in forms if form.get("type") == "object"), None)
    differences = [str(openapi)] if row is None else _differences(row, features)
    failure = openapi.delivery or Outcome.UNPROVEN
    return ServerCheck(
        name="features in OpenAPI",
        outcome=failure if differences else Outcome.PASSED,
        expected=f"the champion's {len(features)} features",
        found=shortened(", ".join(differences)) or "the same",
    )


def body_forms(openapi: Response) -> Sequence[Mapping[str, object]]:
    """Return the alternative forms of a body of /predict in JSON Schema."""
    return _forms(openapi.json_path(*_BODY_SCHEMA))


def _differences(row: Mapping[str, object], features: Sequence[Feature]) -> list[str]:
    required, properties = row.get("required", []), row.get("properties")
    names = [str(name) for name in required] if isinstance(required, list) else []
    expected = [each.name for each in features if not each.type.nullable]
    missing = [f"missing {name}" for name in expected if name not in names]
    unknown = [f"unknown {name}" for name in names if name not in expected]
    if missing or unknown:
        return [*missing, *unknown]
    if names != expected:
        return ["the same, in a different order"]
    return [*_different_properties(properties if isinstance(properties, dict) else {}, features)]


def _different_properties(
    properties: Mapping[str, object], features: Sequence[Feature]
) -> Iterator[str]:
    for feature in features:
        forms = _forms(properties.get(feature.name))
        types = {str(form.get("type")) for form in forms}
        expected = {_json_type(feature.type)} | ({"null"} if feature.type.nullable else set())
        if types != expected:
            yield f"{feature.name}: {' or '.join(sorted(types))}"
        elif any(
            form.get("enum") != _only_texts(feature.type)
            for form in forms
            if form.get("type") != "null"
        ):
            yield f"{feature.name}: other levels"


def _forms(described: object) -> list[Mapping[str, object]]:
    """Return the alternative forms of a value in JSON Schema."""
    if not isinstance(described, dict):
        return [{}]
    alternatives = described.get("anyOf")
    forms = alternatives if isinstance(alternatives, list) else [described]
    return [form if isinstance(form, dict) else {} for form in forms]


def _json_type(column: ColumnType) -> str:
    match column:
        case Number():
            return "number"
        case Boolean():
            return "boolean"
        case _:
            return "string"


def _only_texts(column: ColumnType) -> list[str] | None:
    """Return the only accepted texts; None if others are accepted, too."""
    match column:
        case Category(unknown_levels=UnknownLevels.REFUSE, levels=levels):
            return list(levels)
        case _:
            return None
