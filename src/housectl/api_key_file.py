"""Changes of the file of API keys, which running servers read again."""

import fcntl
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from housectl.contract.api_keys import (
    MAX_KEYS,
    NAME_PATTERN,
    ApiKey,
    format_keys,
    generate_key,
    key_digest,
    read_keys,
)
from housectl.contract.files import atomic_write, translate_disk_errors
from housectl.errors import UsageError


@dataclass(frozen=True)
class ApiKeyFile:
    """The file of API keys of a server."""

    path: Path

    def keys(self) -> tuple[ApiKey, ...]:
        """Return the keys of the file, without their secrets.

        Raises:
            UsageError: The file is missing or invalid.
        """
        return read_keys(self.path)

    def add(self, name: str) -> str:
        """Add a key with a new name, and return its secret, which is stored nowhere.

        Raises:
            UsageError: The file or the name is invalid, or the file has a key with this name.
            LocalEnvironmentError: The file cannot be written.
        """
        if not re.fullmatch(NAME_PATTERN, name, re.ASCII):
            raise UsageError(
                f"The name {name!r} is invalid: letters, digits and ._@- are allowed, up to 64.",
                hint="housectl keys add web-shop",
            )
        key = generate_key()
        with self._locked():
            keys = self.keys() if self._has_content else ()
            self._check_can_add(name, keys)
            self._write([*keys, ApiKey(name=name, digest=key_digest(key))])
        return key

    def remove(self, name: str) -> None:
        """Remove the key with a name.

        Raises:
            UsageError: The file is invalid, or has no key with this name.
            LocalEnvironmentError: The file cannot be written.
        """
        with self._locked():
            keys = self.keys()
            kept = [key for key in keys if key.name != name]
            if len(kept) == len(keys):
                raise UsageError(
                    f"The file {self.path} has no key {name!r}.", hint="housectl keys list"
                )
            self._write(kept)

    @property
    def _has_content(self) -> bool:
        # An operator may create an empty file first, to set its permissions.
        is_empty = self.path.is_file() and not self.path.stat().st_size
        return self.path.exists() and not is_empty

    @property
    def _target(self) -> Path:
        """The file itself, if the path is a symbolic link."""
        return Path(os.path.realpath(self.path))  # Path.resolve raises at a loop of links

    def _write(self, keys: Sequence[ApiKey]) -> None:
        # The server can run as another user, who needs the permission to read the file.
        atomic_write(self._target, format_keys(keys), keeps_permissions=True)

    def _check_can_add(self, name: str, keys: tuple[ApiKey, ...]) -> None:
        if any(key.name == name for key in keys):
            raise UsageError(
                f"The file {self.path} has a key {name!r} already.",
                hint=f"housectl keys remove {shlex.quote(name)}   # or add a key with another name",
            )
        if len(keys) == MAX_KEYS:
            raise UsageError(
                f"The file {self.path} has {MAX_KEYS} keys, the largest number.",
                hint="housectl keys list   # and remove keys that nobody uses",
            )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Wait until no other command changes a file in the same directory."""
        directory = self._target.parent
        with translate_disk_errors(self.path):
            directory.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(directory, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
