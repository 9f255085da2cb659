"""Verification that a running server returns the champion's predictions."""

import time
from dataclasses import dataclass

from housectl.contract.bundle import SHORT_DIGEST, Bundle
from housectl.errors import HousectlError, ServerUnreachableError, VerificationError
from housectl.verification.client import Response, ServerClient, connect
from housectl.verification.latency import latency_check, measure_latencies_ms, percentile
from housectl.verification.payloads import bad_inputs
from housectl.verification.server_checks import (
    ServerCheck,
    bundle_check,
    describe_served,
    features_check,
    golden_check,
    rejection_check,
)

UPDATE_TIMEOUT_SECONDS = 5.0

_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The results of all checks.

    Attributes:
        p50_ms, p99_ms: Percentiles of the latency of one prediction over HTTP, in ms; None if the
            server returns no predictions.
    """

    checks: tuple[ServerCheck, ...]
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
        golden = golden_check(server, bundle)
        latencies = measure_latencies_ms(server, bundle.golden)
        return Verification(
            checks=(
                golden,
                bundle_check(health, bundle),
                features_check(server.get("/openapi.json"), bundle),
                *(rejection_check(server, bad) for bad in bad_inputs(bundle.golden)),
                latency_check(latencies, p99_ms),
            ),
            p50_ms=percentile(latencies, 50) if latencies else None,
            p99_ms=percentile(latencies, 99) if latencies else None,
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
        f"it serves {describe_served(health)}.",
        hint=f"curl {url}/health   # shows the reason",
    )


def _unreachable_error(url: str, cause: str) -> ServerUnreachableError:
    return ServerUnreachableError(f"No server responds at {url}: {cause}.", hint="housectl serve")
