"""The bearer token of a registry. It is never part of a message or of a command line."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from housectl.contract.regular_files import MAX_RECORD_BYTES, read_regular
from housectl.errors import UsageError
from housectl.http_clients import check_credential

TOKEN_VARIABLE = "HOUSECTL_REGISTRY_TOKEN"  # noqa: S105  # the name of a variable


def read_token(environment: Mapping[str, str], file: Path | None) -> str | None:
    """Return the token of HOUSECTL_REGISTRY_TOKEN, or of a file; None without both.

    Raises:
        UsageError: The file cannot be read, or the token is not one line of ASCII.
    """
    if text := environment.get(TOKEN_VARIABLE):
        return _checked(text, TOKEN_VARIABLE, hint=f"unset {TOKEN_VARIABLE}")
    if file is None:
        return None
    hint = f"ls -l {shlex.quote(str(file))}   # a file with nothing but the token"
    try:
        content = read_regular(file, limit=MAX_RECORD_BYTES).decode("ascii", "replace")
    except OSError as error:
        raise UsageError(
            f"The token file {file} cannot be read: {error.strerror or error}.", hint=hint
        ) from error
    return _checked(content, f"the file {file}", hint=hint)


def _checked(token: str, source: str, *, hint: str) -> str:
    return check_credential(
        token.strip(), f"token in {source}", max_length=MAX_RECORD_BYTES, hint=hint
    )
