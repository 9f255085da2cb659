"""Checks of the champion store: access, and the champion with its history."""

import shlex
from pathlib import Path

from housectl.backends.doctor_check import CheckContext, CheckWarning
from housectl.contract.history import clock_warnings
from housectl.deadline import Deadline, call_until
from housectl.errors import LocalEnvironmentError
from housectl.store.checking.write_probe import prove_writes
from housectl.store.factory import open_store
from housectl.store.layout import HISTORY
from housectl.store.local import LocalStore

_TIMEOUT_SECONDS = 10.0


def check_store_access(context: CheckContext) -> str:
    """Prove in ten seconds that the store is readable and writable, and safe for promotions."""
    address = context.workspace.store

    def prove() -> None:
        if isinstance(address.value, Path):
            _prove_directory(address.value)
        else:
            prove_writes(open_store(address, cache=None))

    try:
        call_until(Deadline.after(_TIMEOUT_SECONDS), prove)
    except TimeoutError as error:
        raise LocalEnvironmentError(
            f"The store {address} does not respond within {_TIMEOUT_SECONDS:.0f} s.",
            hint=f"{shlex.join(('housectl', 'store', 'check', str(address)))}   # waits longer",
        ) from error
    return f"{address}: readable and writable, and an existing file is not replaced"


def check_store(context: CheckContext) -> str:
    """Check that the history is valid and the champion's bundle is intact."""
    address = context.workspace.store
    store = open_store(address, cache=context.workspace.cache)
    history = store.history()
    if not history:
        return f"{address}: no champion yet"
    bundle = store.bundle(history[-1].bundle)
    if warnings := clock_warnings(history):
        raise CheckWarning(warnings[-1], hint="date -u   # then correct the clock of that machine")
    return f"{address}: champion {bundle.version}, history entry {len(history)}"


def _prove_directory(directory: Path) -> None:
    """Prove access to the history's directory, or to the one that it would be created in."""
    history = directory / HISTORY
    existing = next(path for path in (history, *history.parents) if path.is_dir())
    prove_writes(LocalStore(existing), folder="")
