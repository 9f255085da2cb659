"""Functions on whole champion stores, which need no project."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from housectl.store.address import StoreAddress
from housectl.store.factory import open_store
from housectl.work_progress import ShareReporter, ignore_share
from housectl.workspace import find_workspace

if TYPE_CHECKING:
    from os import PathLike

    from housectl.store.base import ChampionStore
    from housectl.store.checking.store_check import StoreReport
    from housectl.store.copying.copy_report import CopyReport
    from housectl.waiting import ProgressReporter


def copy_store(
    source: "str | PathLike[str]",
    target: "str | PathLike[str]",
    *,
    progress: "ProgressReporter | None" = None,
) -> "CopyReport":
    """Copy everything that a store lacks from another one, with every byte checked.

    A killed copy is continued by the next one. Commands may write the source meanwhile.

    Args:
        source: Path or URL of a champion store.
        target: Path or URL of an empty store, or of an older copy of the source.
        progress: Receives the finished share of the work; None for silence.

    Raises:
        StoreConflictError: The target has another history, or more entries than the source.
        HistoryError: The history of a store is damaged.
        UsageError: An address is invalid, or the source is empty.
        LocalEnvironmentError: The target cannot be written.

    >>> import housectl
    >>> housectl.copy_store(".housectl/store", "backup").copied["history"]
    1
    """
    from housectl.store.copying.store_copy import copy_store

    return copy_store(_open(source), _open(target), _reporter(progress, "store copy"))


def check_store(
    store: "str | PathLike[str] | None" = None,
    *,
    project: "str | PathLike[str] | None" = None,
    progress: "ProgressReporter | None" = None,
) -> "StoreReport":
    """Check every file of a champion store, and the chain of its history.

    Args:
        store: Path or URL of the store; by default that of the project.
        project: A housectl.yaml or its directory; by default the nearest one, here or above.
        progress: Receives the finished share of the work; None for silence.

    Raises:
        UsageError: The address is invalid, or the store is empty.
        ProjectError: There is no housectl.yaml, and no store is given.

    >>> import housectl
    >>> housectl.check_store().problems
    ()
    """
    from housectl.store.checking.store_check import check_store

    return check_store(_open(store, project), _reporter(progress, "store check"))


def _open(
    store: "str | PathLike[str] | None", project: "str | PathLike[str] | None" = None
) -> "ChampionStore":
    """Return a store without a cache, so that its own bytes are read."""
    if store is None:
        address = find_workspace(None if project is None else Path(project), None).store
    else:
        address = StoreAddress.parse(str(store))
    if isinstance(address.value, Path):
        address = StoreAddress(address.value.absolute())
    return open_store(address, cache=None)


def _reporter(progress: "ProgressReporter | None", activity: str) -> ShareReporter:
    return partial(progress.on_share, activity) if progress else ignore_share
