"""The checks of a running server, each against the champion's bundle."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from housectl.contract.bundle import SHORT_DIGEST, Bundle
from housectl.contract.golden import golden_mismatches
from housectl.verification.client import JSON_TYPE, PROBLEM_TYPE, Response, ServerClient
from housectl.verification.payloads import BadInput, row_payload, to_body


@dataclass(frozen=True, kw_only=True)
class ServerCheck:
    """The result of one check; `expected` and `found` are texts for the user."""

    name: str
    passed: bool
    expected: str
    found: str


def golden_check(server: ServerClient, bundle: Bundle) -> ServerCheck:
    """Check that the server predicts the golden rows."""
    golden = bundle.golden
    responses = [server.predict(to_body(row_payload(golden, row))) for row in golden.rows]
    mismatches = golden_mismatches(
        golden, [_prediction(response, bundle) for response in responses]
    )
    found = f"all {len(responses)}"
    if mismatches:
        first = mismatches[0]
        found = (
            f"{len(mismatches)} mismatches; row {first.number} returned {responses[first.number]} "
            f"instead of {first.expected!r}"
        )
    return ServerCheck(
        name="golden rows",
        passed=not mismatches,
        expected=f"{len(responses)} predictions within {golden.tolerance:.3g}",
        found=found,
    )


def bundle_check(health: Response, bundle: Bundle) -> ServerCheck:
    """Check that the server reports the digest of the bundle."""
    return ServerCheck(
        name="served bundle",
        passed=health.json_path("model_digest") == bundle.digest,
        expected=bundle.version,
        found=describe_served(health),
    )


def describe_served(health: Response) -> str:
    """Return the bundle that a server reports in its health, for messages."""
    digest, reason = health.json_path("model_digest"), health.json_path("reason")
    served = digest[:SHORT_DIGEST] if isinstance(digest, str) else "no champion"
    if health.json_path("status") is None:
        served = str(health)
    return f"{served} ({reason})" if reason else served


def features_check(openapi: Response, bundle: Bundle) -> ServerCheck:
    """Check that the OpenAPI document requires the features of the bundle, in order."""
    body = ("paths", "/predict", "post", "requestBody", "content", JSON_TYPE, "schema", "required")
    required = openapi.json_path(*body)
    names = [str(name) for name in required] if isinstance(required, list) else None
    expected = list(bundle.golden.features)
    return ServerCheck(
        name="features in OpenAPI",
        passed=names == expected,
        expected=f"the champion's {len(expected)} features",
        found=_compare_names(names, expected) if names is not None else str(openapi),
    )


def _compare_names(names: Sequence[str], expected: Sequence[str]) -> str:
    missing = [f"missing {name}" for name in expected if name not in names]
    unknown = [f"unknown {name}" for name in names if name not in expected]
    if missing or unknown:
        return ", ".join([*missing, *unknown])
    return "the same" if names == expected else "the same, in a different order"


def rejection_check(server: ServerClient, bad: BadInput) -> ServerCheck:
    """Check that the server rejects an invalid body with a problem document."""
    response = server.predict(bad.body)
    return ServerCheck(
        name=f"rejects {bad.name}",
        passed=response.status in range(400, 500)
        and response.media_type == PROBLEM_TYPE
        and (bad.field is None or bad.field in _error_fields(response)),
        expected="4xx" + (f" naming {bad.field}" if bad.field else ""),
        found=str(response),
    )


def _error_fields(response: Response) -> list[object]:
    errors = response.json_path("errors")
    if not isinstance(errors, list):
        return []
    return [error.get("field") for error in errors if isinstance(error, dict)]


def _prediction(response: Response, bundle: Bundle) -> float:
    value = response.json_path(bundle.record.schema.target.response_key)
    return value if response.status == HTTPStatus.OK and isinstance(value, float) else math.nan
