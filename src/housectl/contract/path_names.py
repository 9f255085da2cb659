"""Names and digests that become a part of a path. Each builder of such a path checks them here."""

import re
from typing import Annotated

import msgspec

from housectl.errors import UsageError

_DIGEST = r"[0-9a-f]{64}"
_NAME = r"[a-z0-9][a-z0-9-]{0,62}"

Digest = Annotated[str, msgspec.Meta(pattern=rf"^{_DIGEST}\Z")]


def checked_name(name: str) -> str:
    """Return the name of an experiment, a task or a trial, if it is one.

    Raises:
        UsageError: It has other characters than lower-case letters, digits and dashes.
    """
    if not is_name(name):
        raise UsageError(
            f"The name {name!r} is invalid: a name has lower-case letters, digits and dashes.",
            hint="housectl list   # shows the names",
        )
    return name


def is_name(name: str) -> bool:
    """Return True if a name has the form of an experiment's, a task's or a trial's name."""
    return re.fullmatch(_NAME, name) is not None


def is_digest(name: str) -> bool:
    """Return True if a name is a digest: 64 lower-case hexadecimal digits."""
    return re.fullmatch(_DIGEST, name) is not None


def checked_digest(digest: str) -> str:
    """Return a digest, if it is one.

    Raises:
        UsageError: It does not have 64 lower-case hexadecimal digits.
    """
    if not is_digest(digest):
        raise UsageError(
            f"The digest {digest!r} is invalid: a digest has 64 hexadecimal digits.",
            hint="housectl history   # shows the versions",
        )
    return digest
