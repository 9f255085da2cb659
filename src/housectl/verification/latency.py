"""The latency of predictions over HTTP, and its check."""

import math
import time
from collections.abc import Sequence
from http import HTTPStatus
from itertools import cycle, islice

from housectl.contract.golden import Golden
from housectl.verification.client import ServerClient
from housectl.verification.payloads import row_payload, to_body
from housectl.verification.server_checks import ServerCheck

LATENCY_REQUESTS = 200


def measure_latencies_ms(server: ServerClient, golden: Golden) -> list[float]:
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


def latency_check(latencies: Sequence[float], p99_ms: float) -> ServerCheck:
    """Check that the p99 of ascending latencies is within the limit."""
    found = "no predictions"
    if latencies:
        found = f"p50 {percentile(latencies, 50):.2f} ms, p99 {percentile(latencies, 99):.2f} ms"
    return ServerCheck(
        name="latency",
        passed=bool(latencies) and percentile(latencies, 99) <= p99_ms,
        expected=f"p99 of {LATENCY_REQUESTS} requests at most {p99_ms:g} ms",
        found=found,
    )


def percentile(ascending: Sequence[float], percent: int) -> float:
    """Return a percentile of ascending values, by the nearest-rank method."""
    return ascending[math.ceil(len(ascending) * percent / 100) - 1]
