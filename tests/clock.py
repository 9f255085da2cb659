"""A clock that a test moves."""


class Clock:
    """Replaces the module `time` in a module under test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now
