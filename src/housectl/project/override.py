"""Values of flags and environment variables that replace those of a project file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Override:
    """A value from a flag or an environment variable; `origin` is the name of it."""

    value: object
    origin: str
