"""Check of a whole history, which does not end at the first problem."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from housectl.contract.history import HistoryEntry, parse_entry
from housectl.store.checking.parallel import in_parallel
from housectl.store.checking.problems import ProblemKind, StoreProblem, cause_of
from housectl.store.checking.record_checks import INVALID_RECORD
from housectl.store.layout import HISTORY, entry_key
from housectl.store.storage import FileStorage

_BROKEN_CHAIN = "its hash of the entry before does not match, so one of the two was altered"


@dataclass(frozen=True, kw_only=True)
class Link:
    """One entry of the chain, as far as it can be read.

    Attributes:
        sha256: Hash of its bytes; None if they cannot be read.
        entry: None if the bytes are no valid entry.
        cause: The reason.
    """

    number: int
    sha256: str | None = None
    entry: HistoryEntry | None = None
    cause: str | None = None


def read_links(store: FileStorage, numbers: Sequence[int]) -> Iterator[Link]:
    """Yield the links with these numbers."""
    return in_parallel(partial(_read_link, store), numbers)


def chain_problems(store: FileStorage, links: Sequence[Link]) -> Iterator[StoreProblem]:
    """Yield the missing and the invalid entries of a history.

    Args:
        store: The store of the history.
        links: Its links, in the order of their numbers.
    """
    for before, link in pairwise((Link(number=0), *links)):
        if link.number != before.number + 1:
            missing = range(before.number + 1, link.number)
            yield _problem(store, ProblemKind.MISSING, missing[0], _missing_cause(missing, link))
        elif link.entry and link.entry.previous != before.sha256 and _is_known(before):
            yield _problem(store, ProblemKind.INVALID, link.number, _BROKEN_CHAIN)
        if link.cause:
            yield _problem(store, ProblemKind.INVALID, link.number, link.cause)


def _is_known(link: Link) -> bool:
    """Return True if the hash of the link is known; before the first entry, it is None."""
    return link.sha256 is not None or link.number == 0


def _missing_cause(missing: range, link: Link) -> str:
    subject = "it does" if len(missing) == 1 else f"entries {missing[0]} to {missing[-1]} do"
    return f"{subject} not exist, but entry {link.number} exists"


def _read_link(store: FileStorage, number: int) -> Link:
    sha256 = None
    try:
        data = store._read(entry_key(number))
        sha256 = hashlib.sha256(data).hexdigest()
        return Link(number=number, sha256=sha256, entry=parse_entry(data, number))
    except INVALID_RECORD as error:
        return Link(number=number, sha256=sha256, cause=cause_of(error))


def _problem(store: FileStorage, kind: ProblemKind, number: int, cause: str) -> StoreProblem:
    return StoreProblem(
        kind=kind,
        file=store.location(entry_key(number)),
        cause=cause,
        hint=f"{store._list_command(HISTORY)}   # restore the store from a backup",
    )
