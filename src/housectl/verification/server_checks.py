"""The checks of a running server, each against the champion's bundle."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import shorten

from housectl.contract.bundle import Bundle
from housectl.contract.bundle_record import SHORT_DIGEST
from housectl.verification.client import DIGEST_HEADER, Response
from housectl.verification.outcome import Outcome
from housectl.verification.probes import Answer, Champion

_MAX_ROW_LENGTH = 1000
_MAX_TEXT_LENGTH = 300


@dataclass(frozen=True, kw_only=True)
class ServerCheck:
    """The result of one check; `expected` and `found` are texts for the user."""

    name: str
    outcome: Outcome
    expected: str
    found: str

    @property
    def passed(self) -> bool:
        """True if the server passed the check."""
        return self.outcome is Outcome.PASSED


def rows_check(name: str, answers: Sequence[Answer], champion: Champion) -> ServerCheck:
    """Check that the server predicts rows, each time that they are asked."""
    outcome, first, failures = _worst(answers, champion)
    rows = {answer.probe.body: answer.probe.expected for answer in answers}
    found = f"all {len(answers)} answers"
    if failures:
        row = shortened(first.probe.body.decode(), _MAX_ROW_LENGTH)
        found = (
            f"{failures} of {len(answers)} answers failed; {row} "
            f"got {first.response} instead of {first.probe.expected}"
        )
    return ServerCheck(
        name=name, outcome=outcome, expected=f"{len(rows)} predictions, each repeated", found=found
    )


def batch_check(name: str, answers: Sequence[Answer], champion: Champion) -> ServerCheck:
    """Check that the server predicts the same rows in each form of a batch."""
    outcome, first, failures = _worst(answers, champion)
    paths = ", ".join(answer.probe.path for answer in answers)
    return ServerCheck(
        name=name,
        outcome=outcome,
        expected=f"{first.probe.expected} at {paths}",
        found=f"{first.probe.path} got {first.response}" if failures else "the same predictions",
    )


def refusal_check(name: str, answers: Sequence[Answer], champion: Champion) -> ServerCheck:
    """Check that the server refuses a body with a mistake, each time that it is sent."""
    outcome, first, _ = _worst(answers, champion)
    return ServerCheck(
        name=name,
        outcome=outcome,
        expected=str(first.probe.expected),
        found=str(first.response),
    )


def _worst(answers: Sequence[Answer], champion: Champion) -> tuple[Outcome, Answer, int]:
    """Return the worst outcome, the first answer with it, and the number of failures."""
    outcomes = [champion.outcome(answer) for answer in answers]
    worst = max(outcomes)
    failures = sum(outcome is not Outcome.PASSED for outcome in outcomes)
    return worst, answers[outcomes.index(worst)], failures


def health_check(healths: Sequence[Response], bundle: Bundle) -> ServerCheck:
    """Check that the server reports at each moment that it serves the bundle."""
    failed = [health for health in healths if not _is_healthy(health, bundle)]
    return ServerCheck(
        name="served bundle",
        outcome=max(
            (health.delivery or Outcome.UNPROVEN for health in failed), default=Outcome.PASSED
        ),
        expected=f"{bundle.version}, ok",
        found=describe_served(failed[0] if failed else healths[0]),
    )


def _is_healthy(health: Response, bundle: Bundle) -> bool:
    reported = health.json_path("status"), health.json_path("model_digest")
    return reported == ("ok", bundle.digest)


def describe_served(health: Response) -> str:
    """Return the bundle and the status that a server reports in its health, for messages."""
    status, digest, reason = map(health.json_path, ("status", "model_digest", "reason"))
    if status is None:
        return str(health)
    served = digest[:SHORT_DIGEST] if isinstance(digest, str) else "no champion"
    return shortened(f"{served}, {status}: {reason}" if reason else f"{served}, {status}")


def digest_check(
    responses: Iterable[Response], bundle: Bundle, *, canary: str | None = None
) -> ServerCheck:
    """Check that each answer names the digest of the bundle, or that of the canary."""
    digests = [response.digest for response in responses if response.status is not None]
    others = [
        digest for digest in digests if digest is None or digest not in {bundle.digest, canary}
    ]
    found = f"all {len(digests)} answers"
    if others:
        found = f"{len(others)} of {len(digests)} answers have {_shown_digest(others[0])}"
    return ServerCheck(
        name="digest header",
        outcome=Outcome.UNPROVEN if others else Outcome.PASSED,
        expected=f"{DIGEST_HEADER}: {bundle.version}… in each answer",
        found=found,
    )


def _shown_digest(digest: str | None) -> str:
    return "no such header" if digest is None else repr(digest[:SHORT_DIGEST])


def shortened(text: str, length: int = _MAX_TEXT_LENGTH) -> str:
    """Shorten a text whose length depends on the server."""
    return shorten(text, length, placeholder=" …")
