"""Verification that a running server returns the champion's predictions."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from housectl.contract.bundle import Bundle
from housectl.contract.scorer import open_bundle
from housectl.deadline import Deadline
from housectl.errors import ExitStatus
from housectl.verification.batch_protocols import BATCH_CHECK
from housectl.verification.canary import canary_digest, check_canary
from housectl.verification.client import connect
from housectl.verification.event_loop import run
from housectl.verification.latency import latency_check, percentile
from housectl.verification.limits import Limits
from housectl.verification.observation import Observation, observe
from housectl.verification.openapi_check import features_check
from housectl.verification.outcome import Outcome
from housectl.verification.probes import Champion, Prediction
from housectl.verification.schedule import ROW_CHECKS, Scheduler
from housectl.verification.server_checks import (
    ServerCheck,
    batch_check,
    digest_check,
    health_check,
    refusal_check,
    rows_check,
)
from housectl.verification.serving import unreachable_error, wait_for_update


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The results of all checks.

    Attributes:
        p50_ms, p99_ms: Percentiles of the latency of one right prediction over HTTP, in ms; None if
            the server returns none.
    """

    checks: tuple[ServerCheck, ...]
    p50_ms: float | None
    p99_ms: float | None

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of all checks."""
        return max(check.outcome for check in self.checks)

    @property
    def passed(self) -> bool:
        """True if every check passed."""
        return self.outcome is Outcome.PASSED

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the failed checks."""
        return tuple(check.name for check in self.checks if not check.passed)

    @property
    def wrong(self) -> tuple[str, ...]:
        """The names of the checks with wrong answers of the champion."""
        return tuple(check.name for check in self.checks if check.outcome is Outcome.WRONG)

    @property
    def status(self) -> ExitStatus:
        """The exit status of a command with these results."""
        return _STATUSES.get(self.outcome, ExitStatus.VERIFICATION_FAILED)


_STATUSES = {
    Outcome.PASSED: ExitStatus.OK,
    Outcome.UNREACHABLE: ExitStatus.SERVER_UNREACHABLE,
}


def verify(
    bundle: Bundle,
    url: str,
    *,
    limits: Limits,
    deadline: Deadline,
    get_bundle: Callable[[str], Bundle] | None = None,
) -> Verification:
    """Check that a server returns a bundle's predictions, and rejects invalid requests.

    Each call asks fresh random rows among the golden rows, each row several times and over several
    connections. The expected answers come from the bundle's own graph. A server with another bundle
    gets five seconds to load the one in the store.

    Args:
        bundle: The champion.
        url: URL of the server, without a path.
        limits: Limits of requests and of the latency.
        deadline: End of the run. Requests after it count as unanswered.
        get_bundle: Returns the bundle with a digest, to check a canary; None to accept none.

    Raises:
        BundleError: The bundle's graph is invalid.
        ServerUnreachableError: No server responds at the URL.
        UsageError: The URL is invalid.
    """
    return run(_verify(bundle, url, limits, deadline, get_bundle))


async def _verify(
    bundle: Bundle,
    url: str,
    limits: Limits,
    deadline: Deadline,
    get_bundle: Callable[[str], Bundle] | None,
) -> Verification:
    # A server cannot predict the choices of the system's source of randomness.
    scheduler = Scheduler(bundle, open_bundle(bundle), random.SystemRandom())
    probes = scheduler.probes()
    async with connect(url, limits=limits, deadline=deadline) as server:
        before = await wait_for_update(server, bundle.digest, timeout=limits.update_seconds)
        health = before[0]
        if health.status is None:
            raise unreachable_error(url, health, consequence=" Nothing was checked.")
        observation = await observe(server, probes, batches=scheduler.batches, before=before)
    canary = canary_digest(observation.healths, bundle.digest) if get_bundle else None
    canary_checks: tuple[ServerCheck, ...] = ()
    if canary and get_bundle:
        answers, check = check_canary(observation.answers, canary, get_bundle)
        observation, canary_checks = replace(observation, answers=answers), (check,)
    champion = Champion(digest=bundle.digest, health_digest=health.json_path("model_digest"))
    latencies = _latencies(observation, champion)
    return Verification(
        checks=(
            *(rows_check(name, observation.answers_to(name), champion) for name in ROW_CHECKS),
            health_check(observation.healths, bundle),
            digest_check(observation.responses, bundle, canary=canary),
            features_check(observation.openapi, bundle),
            *_batch_checks(observation, champion),
            *_refusal_checks(observation, champion),
            *canary_checks,
            latency_check(latencies, limits.p99_ms),
        ),
        p50_ms=percentile(latencies, 50) if latencies else None,
        p99_ms=percentile(latencies, 99) if latencies else None,
    )


def _batch_checks(observation: Observation, champion: Champion) -> Iterator[ServerCheck]:
    """Yield the check of batches, if the server describes any."""
    if answers := observation.answers_to(BATCH_CHECK):
        yield batch_check(BATCH_CHECK, answers, champion)


def _refusal_checks(observation: Observation, champion: Champion) -> Iterator[ServerCheck]:
    names = {answer.probe.check for answer in observation.answers}
    for name in sorted(names.difference(ROW_CHECKS, {BATCH_CHECK})):
        yield refusal_check(name, observation.answers_to(name), champion)


def _latencies(observation: Observation, champion: Champion) -> list[float]:
    """Return the latencies of the right predictions, ascending."""
    return sorted(
        answer.milliseconds
        for answer in observation.answers
        if isinstance(answer.probe.expected, Prediction)
        and champion.outcome(answer) is Outcome.PASSED
    )
