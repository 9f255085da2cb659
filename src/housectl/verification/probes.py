"""Probes: requests to /predict, each with the answer that the champion must give."""

from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from housectl.verification.client import PROBLEM_TYPE, Response
from housectl.verification.outcome import Outcome

_OVERLOADED = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class Expectation(Protocol):
    """The expected answer to a request."""

    def matches(self, response: Response) -> bool:
        """Return True if a complete answer is as expected."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The prediction for a row.

    Attributes:
        key: Key of the prediction in the answer.
        tolerance: Largest accepted difference.
    """

    key: str
    value: float
    tolerance: float

    def matches(self, response: Response) -> bool:
        """Return True if the answer is this prediction."""
        value = response.json_path(self.key)
        return (
            response.status == HTTPStatus.OK
            and isinstance(value, float)
            and abs(value - self.value) <= self.tolerance
        )

    def __str__(self) -> str:
        return repr(self.value)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The refusal of an invalid body by a problem document.

    Attributes:
        statuses: Accepted statuses.
        fields: The problem must name one of these fields or more, and no other field. Empty if the
            mistake concerns no field; then the fields do not matter.
    """

    statuses: Collection[int]
    fields: frozenset[str] = frozenset()

    def matches(self, response: Response) -> bool:
        """Return True if the answer refuses the body for the right reason."""
        named = _named_fields(response)
        return (
            response.status in self.statuses
            and response.media_type == PROBLEM_TYPE
            and (not self.fields or bool(named and named <= self.fields))
        )

    def __str__(self) -> str:
        statuses = " or ".join(str(int(status)) for status in sorted(self.statuses))
        if not self.fields:
            return statuses
        (field, *others) = self.fields
        return f"{statuses} naming {f'any of {len(self.fields)} fields' if others else field}"


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A request to /predict.

    Attributes:
        check: Name of the check that the answer belongs to.
    """

    check: str
    body: bytes
    expected: Expectation


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer to a probe, and the time until it was complete."""

    probe: Probe
    response: Response
    milliseconds: float


@dataclass(frozen=True, kw_only=True)
class Champion:
    """The model that must have answered.

    Attributes:
        digest: Digest of the champion.
        health_digest: Digest that the server reports in its health.
    """

    digest: str
    health_digest: object

    def outcome(self, answer: Answer) -> Outcome:
        """Judge an answer. Only a prediction that names the champion can be its fault."""
        response, expected = answer.response, answer.probe.expected
        if response.delivery is not Outcome.PASSED:
            return response.delivery
        if response.status in _OVERLOADED:
            return Outcome.UNPROVEN
        if expected.matches(response):
            return Outcome.PASSED
        is_fault = isinstance(expected, Prediction) and self._gave(response)
        return Outcome.WRONG if is_fault else Outcome.UNPROVEN

    def _gave(self, response: Response) -> bool:
        """Return True if the champion gave an answer, as the server itself reports it."""
        if response.digest is None and response.status == HTTPStatus.OK:
            return self.health_digest == self.digest
        return response.digest == self.digest


def _named_fields(response: Response) -> frozenset[str]:
    errors = response.json_path("errors")
    if not isinstance(errors, list):
        return frozenset()
    return frozenset(str(error.get("field")) for error in errors if isinstance(error, dict))
