"""Checks of the reasons that people give for changes of the champion."""

from housectl.contract.history import MAX_OVERRIDE_LENGTH
from housectl.errors import UsageError


def check_override(reason: str) -> str:
    """Return the reason of an override without spaces around it.

    Raises:
        UsageError: The reason is empty, too long or not Unicode.
    """
    option = "housectl promote --accept"
    check_text(reason, option=option)
    text = reason.strip()
    if not text or len(text) > MAX_OVERRIDE_LENGTH:
        problem = f"it has more than {MAX_OVERRIDE_LENGTH} characters" if text else "it is empty"
        raise UsageError(
            f"The reason of --accept is invalid: {problem}.",
            hint=f"{option} TEXT   # the history records the text",
        )
    return text


def check_text(reason: str, *, option: str) -> None:
    """Check that a reason can be stored.

    Raises:
        UsageError: It is not Unicode.
    """
    try:
        reason.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"The reason {reason!r} is not UTF-8.", hint=f"{option} TEXT   # a text in UTF-8"
        ) from error
