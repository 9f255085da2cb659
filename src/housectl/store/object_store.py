"""The champion store in an object store: S3, Google Cloud Storage or Azure."""

import importlib.util
from pathlib import Path

from housectl.errors import LocalEnvironmentError
from housectl.store.address import RemoteAddress
from housectl.store.base import ChampionStore


def open_object_store(address: RemoteAddress, *, cache: Path | None) -> ChampionStore:
    """Return the champion store with this address.

    Raises:
        LocalEnvironmentError: The library of object stores is missing.
    """
    if importlib.util.find_spec("obstore") is None:
        raise LocalEnvironmentError(
            f"The store {address} cannot be used: the library obstore is missing.",
            hint="python -m pip install 'housectl[cloud]'",
        )
    raise LocalEnvironmentError(
        f"The store {address} cannot be used: object stores are not implemented yet ({cache}).",
        hint="housectl history --store .housectl/store",
    )
