"""The file of API keys: one line for each key, with its sha256 and its name.

A key has 256 random bits. Nobody can guess it, so one round of sha256 without salt protects it.
"""

import re
import secrets
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from housectl.contract.regular_files import read_regular
from housectl.errors import UsageError

MAX_KEYS = 1000
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}"
_FORMAT = "# housectl API keys: sha256 and name of each key"

_PREFIX = "hk_"
_RANDOM_BYTES = 32
_MAX_FILE_BYTES = 2**18
_LINE = re.compile(rf"([0-9a-f]{{64}})[ \t]+({NAME_PATTERN})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key without its secret.

    Attributes:
        name: Name of the client, unique in a file.
        digest: sha256 of the key, in hexadecimal.
    """

    name: str
    digest: str


def generate_key() -> str:
    """Return a new random key."""
    return _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def key_digest(key: str) -> str:
    """Return the sha256 of a key, in hexadecimal."""
    return sha256(key.encode()).hexdigest()


def format_keys(keys: Sequence[ApiKey]) -> bytes:
    """Return the content of a file with these keys."""
    return "\n".join([_FORMAT, *(f"{key.digest} {key.name}" for key in keys), ""]).encode()


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """Return the keys of a file. A file without keys has at least a comment.

    Raises:
        UsageError: The file cannot be read, or a line of it is invalid.
    """
    try:
        content = read_regular(path, limit=_MAX_FILE_BYTES)
        return _parse(content.decode("utf-8-sig"))  # editors of Windows may add the mark
    except FileNotFoundError as error:
        raise UsageError(
            f"The file of API keys {path} does not exist.",
            hint=f"housectl keys add web-shop --api-keys-file {shlex.quote(str(path))}",
        ) from error
    except OSError as error:
        hint = f"ls -ld {shlex.quote(str(path))}   # a regular file that the server's user may read"
        raise _invalid(path, error.strerror or str(error), hint) from error
    except ValueError as error:
        hint = f"cat {shlex.quote(str(path))}   # a line of each key has its sha256 and its name"
        raise _invalid(path, str(error), hint) from error


def _parse(text: str) -> tuple[ApiKey, ...]:
    if not text.strip():  # an editor or a script may be about to write it
        raise ValueError("it is empty")
    keys = tuple(_parse_lines(text))
    if len(keys) > MAX_KEYS:
        raise ValueError(f"it has more than {MAX_KEYS} keys")
    if len({key.name for key in keys}) < len(keys):
        raise ValueError("two keys have the same name")
    return keys


def _parse_lines(text: str) -> Iterator[ApiKey]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if not match:
            # A line can contain a key by mistake, so the message does not repeat it.
            raise ValueError(f"line {number} is not a sha256 in hexadecimal and a name")
        yield ApiKey(name=match[2], digest=match[1])


def _invalid(path: Path, cause: str, hint: str) -> UsageError:
    return UsageError(f"The file of API keys {path} is invalid: {cause}.", hint=hint)
