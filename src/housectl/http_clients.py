"""Parts that HTTP clients share: checks of URLs and credentials, and causes of failed requests."""

import os
from ipaddress import ip_address
from urllib.parse import urlsplit

from housectl.errors import UsageError


def check_port(url: str) -> None:
    """Raise a ValueError if no server can have the port; httpx accepts any number."""
    if urlsplit(url).port == 0:  # A port above 65535 is a ValueError.
        raise ValueError("no server can have the port 0")


def is_loopback(url: str) -> bool:
    """Return True for this machine's own addresses, which must not use a configured proxy."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def check_credential(text: str, source: str, *, max_length: int, hint: str) -> str:
    """Return a token or a key that a header can contain. The message does not repeat it.

    Args:
        text: The credential.
        source: Kind and place of the credential, for the message.
        max_length: Largest accepted number of characters.
        hint: Hint of the error.

    Raises:
        UsageError: The credential is empty or too long, or has a space or a character that is not
            printable ASCII.
    """
    is_printable = text.isascii() and text.isprintable() and " " not in text
    if not (text and is_printable and len(text) <= max_length):
        raise UsageError(
            f"The {source} is invalid: it is not one word of ASCII characters.", hint=hint
        )
    return text


def failure_cause(error: BaseException) -> str:
    """Return the text of the innermost of several errors, which has the system's reason."""
    while inner := error.__cause__ or _wrapped(error):
        error = inner
    if isinstance(error, BaseExceptionGroup):  # a host name with several addresses
        return failure_cause(error.exceptions[0])
    if isinstance(error, ConnectionError) and error.errno:
        return f"[Errno {error.errno}] {os.strerror(error.errno)}"
    return str(error).rstrip(".") or type(error).__name__


def _wrapped(error: BaseException) -> BaseException | None:
    """Return the error in the arguments of another one, as httpcore passes it on."""
    return next((each for each in error.args if isinstance(each, BaseException)), None)
