"""Verification that a running server returns the champion's predictions."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import cycle, islice

from housectl.contract.bundle import SHORT_DIGEST, Bundle
from housectl.contract.golden import Golden, golden_mismatches
from housectl.errors import HousectlError, ServerUnreachableError, VerificationError
from housectl.verification.client import JSON_TYPE, PROBLEM_TYPE, Response, ServerClient, connect
from housectl.verification.payloads import BadInput, bad_inputs, row_payload, to_body

LATENCY_REQUESTS = 200
UPDATE_TIMEOUT_SECONDS = 5.0

_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Check:
    """The result of one check; `expected` and `found` are texts for the user."""

    name: str
    passed: bool
    expected: str
    found: str


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The results of all checks.

    Attributes:
        p50_ms, p99_ms: Percentiles of the latency of one prediction over HTTP, in ms; None if the
            server returns no predictions.
    """

    checks: tuple[Check, ...]
    p50_ms: float | None
    p99_ms: float | None

    @property
    def passed(self) -> bool:
        """True if every check passed."""
        return all(check.passed for check in self.checks)


def verify(bundle: Bundle, url: str, *, p99_ms: float) -> Verification:
    """Check that a server returns a bundle's predictions, and rejects invalid requests.

    A server with another bundle gets five seconds to load the one in the store.

    Args:
        bundle: The champion.
        url: URL of the server, without a path.
        p99_ms: p99 latency limit in ms.

    Raises:
        ServerUnreachableError: No server responds at the URL.
        UsageError: The URL is invalid.
    """
    with connect(url) as server:
        health = _wait_for_health(server, bundle.digest)
        if health.status is None:
            raise _unreachable_error(url, health.text)
        golden = _golden_check(server, bundle)
        latencies = _latencies_ms(server, bundle.golden)
        return Verification(
            checks=(
                golden,
                _digest_check(health, bundle),
                _features_check(server.get("/openapi.json"), bundle),
                *(_rejection_check(server, bad) for bad in bad_inputs(bundle.golden)),
                _latency_check(latencies, p99_ms),
            ),
            p50_ms=_percentile(latencies, 50) if latencies else None,
            p99_ms=_percentile(latencies, 99) if latencies else None,
        )


def _wait_for_health(server: ServerClient, digest: str) -> Response:
    """Return the server's health, after waiting for a healthy server to load the bundle."""
    deadline = time.monotonic() + UPDATE_TIMEOUT_SECONDS
    while True:
        health = server.get("/health")
        outdated = health.json_path("status") == "ok" and health.json_path("model_digest") != digest
        if not outdated or time.monotonic() >= deadline:
            return health
        time.sleep(_POLL_SECONDS)


def wait_until_serving(url: str, digest: str, *, timeout: float) -> None:
    """Wait until a server serves the bundle with this digest.

    Args:
        url: URL of the server, without a path.
        digest: The full digest of the bundle.
        timeout: Maximum time to wait, in seconds.

    Raises:
        ServerUnreachableError: No server responds at the URL.
        VerificationError: The server still serves another bundle, or no bundle.
        UsageError: The URL is invalid.
    """
    deadline = time.monotonic() + timeout
    with connect(url) as server:
        while (health := server.get("/health")).json_path("model_digest") != digest:
            if time.monotonic() >= deadline:
                raise _update_timeout_error(health, url, digest, timeout)
            time.sleep(_POLL_SECONDS)


def _update_timeout_error(health: Response, url: str, digest: str, timeout: float) -> HousectlError:
    if health.status is None:
        return _unreachable_error(url, health.text)
    return VerificationError(
        f"The server at {url} did not load {digest[:SHORT_DIGEST]} within {timeout:g} s: "
        f"it serves {_describe_served(health)}.",
        hint=f"curl {url}/health   # shows the reason",
    )


def _unreachable_error(url: str, cause: str) -> ServerUnreachableError:
    return ServerUnreachableError(f"No server responds at {url}: {cause}.", hint="housectl serve")


def _golden_check(server: ServerClient, bundle: Bundle) -> Check:
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
    return Check(
        name="golden rows",
        passed=not mismatches,
        expected=f"{len(responses)} predictions within {golden.tolerance:.3g}",
        found=found,
    )


def _digest_check(health: Response, bundle: Bundle) -> Check:
    return Check(
        name="served bundle",
        passed=health.json_path("model_digest") == bundle.digest,
        expected=bundle.version,
        found=_describe_served(health),
    )


def _describe_served(health: Response) -> str:
    digest, reason = health.json_path("model_digest"), health.json_path("reason")
    served = digest[:SHORT_DIGEST] if isinstance(digest, str) else "no champion"
    if health.json_path("status") is None:
        served = str(health)
    return f"{served} ({reason})" if reason else served


def _features_check(openapi: Response, bundle: Bundle) -> Check:
    body = ("paths", "/predict", "post", "requestBody", "content", JSON_TYPE, "schema", "required")
    required = openapi.json_path(*body)
    names = [str(name) for name in required] if isinstance(required, list) else None
    expected = list(bundle.golden.features)
    return Check(
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


def _rejection_check(server: ServerClient, bad: BadInput) -> Check:
    response = server.predict(bad.body)
    return Check(
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


def _latencies_ms(server: ServerClient, golden: Golden) -> list[float]:
    """Return the latencies of many predictions, ascending; empty if a prediction fails."""
    bodies = [to_body(row_payload(golden, row)) for row in golden.rows]
    latencies = []
    for body in islice(cycle(bodies), LATENCY_REQUESTS):
        started = time.perf_counter()
        response = server.predict(body)
        latencies.append((time.perf_counter() - started) * 1000)
        if response.status != HTTPStatus.OK:
            return []
    return sorted(latencies)


def _latency_check(latencies: Sequence[float], p99_ms: float) -> Check:
    found = "no predictions"
    if latencies:
        found = f"p50 {_percentile(latencies, 50):.2f} ms, p99 {_percentile(latencies, 99):.2f} ms"
    return Check(
        name="latency",
        passed=bool(latencies) and _percentile(latencies, 99) <= p99_ms,
        expected=f"p99 of {LATENCY_REQUESTS} requests at most {p99_ms:g} ms",
        found=found,
    )


def _percentile(ascending: Sequence[float], percent: int) -> float:
    return ascending[math.ceil(len(ascending) * percent / 100) - 1]


def _prediction(response: Response, bundle: Bundle) -> float:
    value = response.json_path(bundle.record.schema.target.response_key)
    return value if response.status == HTTPStatus.OK and isinstance(value, float) else math.nan
