"""Champion stores from their addresses; an object store's library is imported when it is needed."""

from pathlib import Path

from housectl.store.address import StoreAddress
from housectl.store.base import ChampionStore
from housectl.store.local import LocalStore


def open_store(address: StoreAddress, *, cache: Path | None) -> ChampionStore:
    """Return the champion store with this address. It need not exist before the first write.

    Args:
        address: Address of the store.
        cache: Directory for copies of an object store's files; None keeps none.

    Raises:
        LocalEnvironmentError: The library of object stores is missing.
        UsageError: The settings of the object store are invalid.
    """
    if isinstance(address.value, Path):
        return LocalStore(address.value)
    from housectl.store.objects.object_store import open_object_store

    return open_object_store(address.value, cache=cache)
