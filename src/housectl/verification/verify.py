"""Verification: proof that a running server answers as the champion does."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import cycle, islice

from housectl.contract.bundle import SHORT_DIGEST, Bundle
from housectl.contract.golden import Golden, golden_mismatches
from housectl.errors import HousectlError, ServerUnreachableError, VerificationError
from housectl.verification.client import JSON, PROBLEM, Response, ServerClient, connect
from housectl.verification.payloads import BadInput, bad_inputs, row_payload, to_body

LATENCY_REQUESTS = 200
UPDATE_TIMEOUT_SECONDS = 5.0

_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was checked; `expected` and `found` are for people."""

    name: str
    passed: bool
    expected: str
    found: str


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was checked.

    Attributes:
        p50_ms, p99_ms: Percentiles of the time for one prediction over HTTP, in milliseconds; None
            when the server does not predict.
    """

    checks: tuple[Check, ...]
    p50_ms: float | None
    p99_ms: float | None

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)


def verify(bundle: Bundle, url: str, *, p99_ms: float) -> Verification:
    """Check that a server answers as a bundle does, and refuses what it should.

    A server that serves another bundle gets five seconds to follow the store.

    Args:
        bundle: The champion.
        url: Where the server is; its paths are appended.
        p99_ms: Objective for the 99th percentile of the latency, in milliseconds.

    Raises:
        UnreachableError: Nobody answers at the URL.
        UsageError: The URL is none.
    """
    with connect(url) as server:
        health = _wait_for_health(server, bundle.digest)
        if health.status is None:
            raise _unreachable(url, health.text)
        golden = _golden_check(server, bundle)
        latencies = _latencies_ms(server, bundle.golden)
        return Verification(
            checks=(
                golden,
                _digest_check(health, bundle),
                _features_check(server.get("/openapi.json"), bundle),
                *(_refusal_check(server, bad) for bad in bad_inputs(bundle.golden)),
                _latency_check(latencies, p99_ms),
            ),
            p50_ms=_percentile(latencies, 50) if latencies else None,
            p99_ms=_percentile(latencies, 99) if latencies else None,
        )


def _wait_for_health(server: ServerClient, digest: str) -> Response:
    """Return what the server says of itself when it serves the bundle, or will not soon."""
    deadline = time.monotonic() + UPDATE_TIMEOUT_SECONDS
    while True:
        health = server.get("/health")
        follows = health.json_path("status") == "ok" and health.json_path("model_digest") != digest
        if not follows or time.monotonic() >= deadline:
            return health
        time.sleep(_POLL_SECONDS)


def wait_until_serving(url: str, digest: str, *, timeout: float) -> None:
    """Return as soon as a server serves the bundle with this digest.

    Args:
        url: Where the server is.
        digest: The whole digest of the bundle.
        timeout: Seconds to wait at most.

    Raises:
        UnreachableError: Nobody answers at the URL.
        MismatchError: The server serves another bundle still, or none.
        UsageError: The URL is none.
    """
    deadline = time.monotonic() + timeout
    with connect(url) as server:
        while (health := server.get("/health")).json_path("model_digest") != digest:
            if time.monotonic() >= deadline:
                raise _update_timed_out(health, url, digest, timeout)
            time.sleep(_POLL_SECONDS)


def _update_timed_out(health: Response, url: str, digest: str, timeout: float) -> HousectlError:
    if health.status is None:
        return _unreachable(url, health.text)
    return VerificationError(
        f"The server at {url} does not serve {digest[:SHORT_DIGEST]} after {timeout:g} s: "
        f"it serves {_served(health)}.",
        hint=f"curl {url}/health   # says why",
    )


def _unreachable(url: str, why: str) -> ServerUnreachableError:
    return ServerUnreachableError(f"Nobody answers at {url}: {why}.", hint="housectl serve")


def _golden_check(server: ServerClient, bundle: Bundle) -> Check:
    golden = bundle.golden
    answers = [server.predict(to_body(row_payload(golden, row))) for row in golden.rows]
    wrong = golden_mismatches(golden, [_prediction(answer, bundle) for answer in answers])
    found = f"all {len(answers)}"
    if wrong:
        first = wrong[0]
        found = (
            f"{len(wrong)} are not; row {first.number} is {answers[first.number]} "
            f"instead of {first.expected!r}"
        )
    return Check(
        name="golden rows",
        passed=not wrong,
        expected=f"{len(answers)} predictions within {golden.tolerance:.3g}",
        found=found,
    )


def _digest_check(health: Response, bundle: Bundle) -> Check:
    return Check(
        name="served bundle",
        passed=health.json_path("model_digest") == bundle.digest,
        expected=bundle.version,
        found=_served(health),
    )


def _served(health: Response) -> str:
    digest, reason = health.json_path("model_digest"), health.json_path("reason")
    served = digest[:SHORT_DIGEST] if isinstance(digest, str) else "no champion"
    if health.json_path("status") is None:
        served = str(health)
    return f"{served} ({reason})" if reason else served


def _features_check(openapi: Response, bundle: Bundle) -> Check:
    body = ("paths", "/predict", "post", "requestBody", "content", JSON, "schema", "required")
    required = openapi.json_path(*body)
    names = [str(name) for name in required] if isinstance(required, list) else None
    expected = list(bundle.golden.features)
    return Check(
        name="features in OpenAPI",
        passed=names == expected,
        expected=f"the {len(expected)} of the champion",
        found=_names_found(names, expected) if names is not None else str(openapi),
    )


def _names_found(names: Sequence[str], expected: Sequence[str]) -> str:
    missing = [f"without {name}" for name in expected if name not in names]
    unknown = [f"with {name}" for name in names if name not in expected]
    if missing or unknown:
        return ", ".join([*missing, *unknown])
    return "the same" if names == expected else "the same in another order"


def _refusal_check(server: ServerClient, bad: BadInput) -> Check:
    answer = server.predict(bad.body)
    return Check(
        name=f"refuses {bad.name}",
        passed=answer.status in range(400, 500)
        and answer.media_type == PROBLEM
        and (bad.field is None or bad.field in _named_fields(answer)),
        expected="4xx" + (f" naming {bad.field}" if bad.field else ""),
        found=str(answer),
    )


def _named_fields(answer: Response) -> list[object]:
    errors = answer.json_path("errors")
    listed = errors if isinstance(errors, list) else []
    return [error.get("field") for error in listed if isinstance(error, dict)]


def _latencies_ms(server: ServerClient, golden: Golden) -> list[float]:
    """Return how long each of many predictions took, in rising order; none when one fails."""
    bodies = [to_body(row_payload(golden, row)) for row in golden.rows]
    latencies = []
    for body in islice(cycle(bodies), LATENCY_REQUESTS):
        started = time.perf_counter()
        answer = server.predict(body)
        latencies.append((time.perf_counter() - started) * 1000)
        if answer.status != HTTPStatus.OK:
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


def _percentile(rising: Sequence[float], percent: int) -> float:
    return rising[math.ceil(len(rising) * percent / 100) - 1]


def _prediction(answer: Response, bundle: Bundle) -> float:
    value = answer.json_path(bundle.record.schema.target.response_key)
    return value if answer.status == HTTPStatus.OK and isinstance(value, float) else math.nan
