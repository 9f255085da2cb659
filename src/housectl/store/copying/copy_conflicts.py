"""Errors of a copy between two stores that do not fit together."""

import shlex

from housectl.errors import LocalEnvironmentError, StoreConflictError, UsageError
from housectl.store.base import ChampionStore
from housectl.store.checking.file_list import MAX_FILES


def same_store(store: ChampionStore) -> UsageError:
    """Return the error for a source that is the target, too."""
    return UsageError(
        f"The store {store.location()} cannot be copied to itself.",
        hint="housectl store copy --help",
    )


def empty_source(source: ChampionStore) -> UsageError:
    """Return the error for a source without files."""
    return UsageError(
        f"The store {source.location()} cannot be copied: it is empty or missing.",
        hint=source._list_command(""),
    )


def too_many_files(source: ChampionStore) -> UsageError:
    """Return the error for a source whose files cannot all be listed."""
    return UsageError(
        f"The store {source.location()} cannot be copied: it has more than {MAX_FILES} files.",
        hint=check_command(source),
    )


def another_history(
    source: ChampionStore, target: ChampionStore, number: int
) -> StoreConflictError:
    """Return the error for a target whose entry with this number is another one."""
    return StoreConflictError(
        f"The store {target.location()} cannot be the target of {source.location()}: its history "
        f"entry {number} is another one.",
        hint=f"{check_command(target)}   # the target must be empty or an older copy",
    )


def target_ahead(source: ChampionStore, target: ChampionStore) -> StoreConflictError:
    """Return the error for a target with more history entries than the source."""
    direction = shlex.join(("housectl", "store", "copy", target.location(), source.location()))
    return StoreConflictError(
        f"The store {target.location()} cannot be the target of {source.location()}: it has all "
        "history entries of the source, and newer ones.",
        hint=f"{direction}   # copies in the other direction",
    )


def another_challenger(
    source: ChampionStore, target: ChampionStore, key: str
) -> StoreConflictError:
    """Return the error for a target that has another challenger with the same number."""
    return StoreConflictError(
        f"The store {target.location()} cannot be the target of {source.location()}: its {key} is "
        "another challenger.",
        hint=f"{check_command(target)}   # the target must be empty or an older copy",
    )


def not_written(target: ChampionStore, key: str) -> LocalEnvironmentError:
    """Return the error for a target that does not return the bytes that were written."""
    return LocalEnvironmentError(
        f"The store {target.location()} does not return the bytes of {key} that were written.",
        hint=check_command(target),
    )


def check_command(store: ChampionStore) -> str:
    """Return the shell command that checks a store."""
    return shlex.join(("housectl", "store", "check", store.location()))
