"""Limits of a verification."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of a verification.

    Attributes:
        p99_ms: Highest accepted p99 of the latency of a prediction, in ms.
        request_seconds: Time for one request, from the connection to the last byte.
        answer_bytes: Size of the body of one answer.
        run_seconds: Time for the whole run, with a rollback and the verification after it.
        update_seconds: Time for a healthy server to load a new champion.
    """

    p99_ms: float = 50.0
    request_seconds: float = 5.0
    answer_bytes: int = 1024 * 1024
    run_seconds: float = 60.0
    update_seconds: float = 5.0
