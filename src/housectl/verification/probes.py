"""Probes: requests for predictions, each with the answer that the champion must give."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from housectl.verification.client import PROBLEM_TYPE, Response
from housectl.verification.fresh_rows import Row
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
        return response.status == HTTPStatus.OK and self.accepts(response.json_path(self.key))

    def accepts(self, value: object) -> bool:
        """Return True if a value is this prediction."""
        return isinstance(value, float) and abs(value - self.value) <= self.tolerance

    def __str__(self) -> str:
        return repr(self.value)


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """The predictions for several rows, in the form of a protocol.

    Attributes:
        path: Keys and indices that lead to the list of predictions in the answer.
        key: Key of each prediction in its object; None for plain numbers.
        rows: The predictions.
    """

    path: Sequence[str | int] = ()
    key: str | None = None
    rows: Sequence[Prediction]

    def matches(self, response: Response) -> bool:
        """Return True if the answer has these predictions, and no others."""
        values = response.json_path(*self.path)
        return (
            response.status == HTTPStatus.OK
            and isinstance(values, list)
            and len(values) == len(self.rows)
            and all(map(self._matches, self.rows, values))
        )

    def _matches(self, row: Prediction, value: object) -> bool:
        if self.key is not None:
            value = value.get(self.key) if isinstance(value, dict) else None
        return row.accepts(value)

    def __str__(self) -> str:
        return f"the predictions for {len(self.rows)} rows"


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
    """A request for predictions.

    Attributes:
        check: Name of the check that the answer belongs to.
        expected: The answer that the champion must give.
        rows: The rows whose predictions are expected, in the model's order; none in a bad body.
    """

    check: str
    path: str = "/predict"
    body: bytes
    expected: Expectation
    rows: Sequence[Row] = ()


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
        is_fault = isinstance(expected, Prediction | Predictions) and self._gave(response)
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
