"""The canary of a server: its answers are checked against its own bundle."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from housectl.contract.bundle import Bundle
from housectl.contract.bundle_record import SHORT_DIGEST
from housectl.contract.path_names import is_digest
from housectl.contract.scorer import open_bundle
from housectl.errors import HousectlError
from housectl.verification.client import Response
from housectl.verification.outcome import Outcome
from housectl.verification.probes import Answer, Prediction, Predictions
from housectl.verification.schedule import Predictor
from housectl.verification.server_checks import ServerCheck

_CHECK = "canary"


def canary_digest(healths: Iterable[Response], champion: str) -> str | None:
    """Return the digest of the canary that a server reports in its health; None without one.

    Args:
        healths: Health of the server.
        champion: Digest of the champion.
    """
    digests = (health.json_path("canary", "model_digest") for health in healths)
    named = (each for each in digests if isinstance(each, str) and is_digest(each))
    return next((digest for digest in named if digest != champion), None)


def check_canary(
    answers: Sequence[Answer], digest: str, get_bundle: Callable[[str], Bundle]
) -> tuple[list[Answer], ServerCheck]:
    """Check the answers of the canary against its bundle.

    Args:
        answers: All answers of the server.
        digest: Digest of the canary.
        get_bundle: Returns the bundle with a digest, or raises HousectlError.

    Returns:
        All answers, with the canary's own predictions as expected from it; and the check.
    """
    try:
        bundle = get_bundle(digest)
        predictor = Predictor(bundle, open_bundle(bundle))
    except HousectlError as error:
        return list(answers), _check(digest, Outcome.UNPROVEN, error.message)
    expected = [_expect(answer, digest, predictor) for answer in answers]
    given = [each for each in expected if each.response.digest == digest]
    failed = [each for each in given if not each.probe.expected.matches(each.response)]
    if failed:
        first = failed[0]
        found = (
            f"{len(failed)} of {len(given)} answers failed; "
            f"{first.response} instead of {first.probe.expected}"
        )
        return expected, _check(digest, Outcome.UNPROVEN, found)
    return expected, _check(digest, Outcome.PASSED, f"all {len(given)} answers")


def _expect(answer: Answer, digest: str, predictor: Predictor) -> Answer:
    """Return an answer of the canary with its own predictions as the expected ones."""
    probe = answer.probe
    if answer.response.digest != digest or not probe.rows:
        return answer
    predictions = predictor.predict(probe.rows)
    expected = probe.expected
    if isinstance(expected, Predictions):
        expected = replace(expected, rows=predictions)
    elif isinstance(expected, Prediction):
        (expected,) = predictions
    return replace(answer, probe=replace(probe, expected=expected))


def _check(digest: str, outcome: Outcome, found: str) -> ServerCheck:
    expected = f"predictions of {digest[:SHORT_DIGEST]} in its answers"
    return ServerCheck(name=_CHECK, outcome=outcome, expected=expected, found=found)
