"""Proof that a store can be read and written, and that it refuses to create an existing file."""

import secrets
import shlex
from contextlib import suppress

from housectl.contract.temp_files import TEMP_PREFIX
from housectl.errors import HousectlError, ObjectStoreError
from housectl.store.layout import HISTORY
from housectl.store.storage import FileStorage


def prove_writes(store: FileStorage, folder: str = HISTORY) -> None:
    """Create a file under a random name twice, read it, and delete it.

    Args:
        store: The store.
        folder: Key of the folder for the file; empty for the store itself.

    Raises:
        ObjectStoreError: The store is read-only, or does not refuse the second creation.
        HousectlError: The store is unavailable.
    """
    store._names(folder)
    key = f"{folder}/{TEMP_PREFIX}probe-{secrets.token_hex(8)}".lstrip("/")
    try:
        _create_twice(store, key)
    except HousectlError:
        with suppress(HousectlError):
            store._delete(key)
        raise
    _delete(store, key)


def _create_twice(store: FileStorage, key: str) -> None:
    first, second = (secrets.token_bytes(16) for _ in range(2))
    try:
        store._create(key, first)
    except ObjectStoreError as error:
        raise _read_only(store, error) from error
    if store._create(key, second) or store._read(key) != first:
        location = store.location()
        raise ObjectStoreError(
            f"The store {location} is unsafe: the server ignores the condition of a conditional "
            "create, so two promotions at once could both succeed.",
            hint=f"{shlex.join(('housectl', 'store', 'copy', location, 'NEW_STORE'))}"
            "   # moves the champions to another server",
        )


def _delete(store: FileStorage, key: str) -> None:
    try:
        store._delete(key)
    except ObjectStoreError as error:
        raise ObjectStoreError(
            f"The file {store.location(key)} of this check cannot be deleted: {error.message}",
            hint=store._remove_command(key),
        ) from error


def _read_only(store: FileStorage, error: HousectlError) -> ObjectStoreError:
    return ObjectStoreError(
        f"The store {store.location()} can be read, but not written: {error.message}",
        hint=error.hint,
    )
