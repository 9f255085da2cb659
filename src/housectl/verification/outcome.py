"""Outcomes of answers and checks, by their consequence."""

from enum import IntEnum


class Outcome(IntEnum):
    """Outcome of an answer or a check. The greatest outcome of several answers is that of all."""

    PASSED = 0
    """The answer is right."""
    UNREACHABLE = 1
    """The server did not answer."""
    UNPROVEN = 2
    """The answer is no fault of the champion: it is late, a refusal, or from another model."""
    WRONG = 3
    """The champion's prediction is wrong. Only this outcome causes a rollback."""
