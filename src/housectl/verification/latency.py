"""The latency of predictions over HTTP, and its check."""

import math
from collections.abc import Sequence

from housectl.verification.outcome import Outcome
from housectl.verification.server_checks import ServerCheck


def latency_check(latencies: Sequence[float], p99_ms: float) -> ServerCheck:
    """Check that the p99 of ascending latencies of right predictions is within the limit."""
    if not latencies:
        # The other checks have the reason, and their outcomes are at least as bad.
        outcome, found = Outcome.UNREACHABLE, "no right predictions"
    else:
        p50, p99 = percentile(latencies, 50), percentile(latencies, 99)
        outcome = Outcome.PASSED if p99 <= p99_ms else Outcome.UNPROVEN
        found = f"p50 {p50:.2f} ms, p99 {p99:.2f} ms of {len(latencies)} predictions"
    return ServerCheck(
        name="latency", outcome=outcome, expected=f"p99 at most {p99_ms:g} ms", found=found
    )


def percentile(ascending: Sequence[float], percent: int) -> float:
    """Return a percentile of ascending values, by the nearest-rank method."""
    return ascending[math.ceil(len(ascending) * percent / 100) - 1]
