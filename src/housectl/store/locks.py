"""Locks: the requirements with hashes of the trainers that sealed the store's bundles."""

import hashlib

from housectl.errors import InputsError
from housectl.store.layout import lock_key
from housectl.store.storage import FileStorage


class Locks(FileStorage):
    """Locks by their sha256, which are never changed or deleted."""

    def add_lock(self, lock: bytes) -> None:
        """Store a lock, unless the store has it."""
        self._create(lock_key(hashlib.sha256(lock).hexdigest()), lock)

    def lock(self, digest: str) -> str | None:
        """Return the lock with this sha256; None if the store lacks it.

        Raises:
            InputsError: The lock is altered.
        """
        key = lock_key(digest)
        try:
            lock = self._read(key)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._invalid_lock(key, str(error)) from error
        if hashlib.sha256(lock).hexdigest() != digest:
            raise self._invalid_lock(key, "its sha256 is not the one in its name")
        return lock.decode(errors="replace")

    def _invalid_lock(self, key: str, cause: str) -> InputsError:
        return InputsError(
            f"The requirements {self.location(key)} are invalid: {cause}.",
            hint=f"{self._remove_command(key)}   # the next sealing writes them again",
        )
