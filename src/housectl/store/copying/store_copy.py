"""`housectl store copy`: a backup, or the migration of a store, that can be repeated at any time.

The history is copied last, entry by entry, so each copied entry has its bundle. The next copy
continues a killed one. Commands may write the source meanwhile: a writer stores bundles before the
records that name them, so a copy lists the records before the bundles, and copies them afterwards.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from housectl.contract.bundle_record import BUNDLE_FILE
from housectl.contract.history import HistoryEntry
from housectl.errors import BundleError, NewerFormatError
from housectl.store.base import ChampionStore
from housectl.store.checking.bundle_files import is_valid_bundle, read_bundle_files
from housectl.store.checking.file_list import FileList, list_files
from housectl.store.checking.parallel import in_parallel, in_parallel_if_small, work_of
from housectl.store.checking.problems import ProblemKind, cause_of
from housectl.store.checking.record_checks import (
    RECORD_CHECKS,
    valid_record,
)
from housectl.store.copying.copy_conflicts import (
    another_challenger,
    another_history,
    empty_source,
    not_written,
    same_store,
    target_ahead,
    too_many_files,
)
from housectl.store.copying.copy_report import CopyReport, CopyTally
from housectl.store.copying.record_copy import RecordCopy
from housectl.store.layout import BUNDLES, CHALLENGERS, FOLDERS, HISTORY, bundle_key, entry_key
from housectl.work_progress import ShareReporter, WorkProgress

Chain = Sequence[tuple[HistoryEntry, str]]


def copy_store(
    source: ChampionStore, target: ChampionStore, report_share: ShareReporter
) -> CopyReport:
    """Copy everything that the target lacks. Every copied byte is checked on both sides.

    Invalid files are not copied. The copied history ends before an entry with an invalid bundle.

    Raises:
        StoreConflictError: The target has another history, or more entries than the source.
        HistoryError: The history of a store is damaged.
        UsageError: The source is empty, has too many files, or is the target.
        LocalEnvironmentError: The target cannot be written.
    """
    if source.location() == target.location():
        raise same_store(source)
    # The order matters while commands write the source: see the module.
    existing = [*target._chain()]
    chain = [*source._chain()]
    first, second = list_files(source), list_files(source)
    if not (first.is_complete and second.is_complete):
        raise too_many_files(source)
    if not any((*first.records.values(), second.bundles)):
        raise empty_source(source)
    records = first.records
    bundles = {name: files for name, files in second.bundles.items() if BUNDLE_FILE in files}
    copy = _StoreCopy(
        source=source,
        target=target,
        chain=chain,
        records=records,
        bundles=bundles,
        existing=list_files(target),
        new_champions=frozenset(entry.bundle for entry, _ in chain[len(existing) :]),
        tally=CopyTally(source),
        progress=WorkProgress(_work_of_all(*records.values(), *bundles.values()), report_share),
    )
    copy.check_target(existing)
    copy.copy_bundles()
    copy.copy_records()
    copy.copy_history(len(existing))
    return copy.report()


def _work_of_all(*folders: Mapping[str, int]) -> int:
    return sum(work_of(size) for folder in folders for size in folder.values())


@dataclass(frozen=True, kw_only=True)
class _StoreCopy:
    """A running copy.

    Attributes:
        records, bundles: Sizes of the files to copy.
        existing: Files of the target at the start.
        new_champions: Digests of the bundles that the entries to copy name. Their bytes are always
            checked; other bundles of the target are known by the sizes of their files.
        valid: Digests of the bundles that the target has.
    """

    source: ChampionStore
    target: ChampionStore
    chain: Chain
    records: Mapping[str, Mapping[str, int]]
    bundles: Mapping[str, Mapping[str, int]]
    existing: FileList
    new_champions: frozenset[str]
    progress: WorkProgress
    tally: CopyTally
    valid: set[str] = field(default_factory=set)

    def check_target(self, existing: Chain) -> None:
        """Refuse a target that is no older copy of the source."""
        for (mine, my_hash), (_, its_hash) in zip(self.chain, existing, strict=False):
            if my_hash != its_hash:
                raise another_history(self.source, self.target, mine.number)
        if len(existing) > len(self.chain):
            raise target_ahead(self.source, self.target)
        shared = self.records[CHALLENGERS].keys() & self.existing.records[CHALLENGERS].keys()
        for _ in in_parallel(self._check_challenger, sorted(shared)):
            pass

    def _check_challenger(self, name: str) -> None:
        its, mine = (valid_record(store, CHALLENGERS, name) for store in (self.target, self.source))
        if its and mine and its != mine:
            raise another_challenger(self.source, self.target, f"{CHALLENGERS}/{name}")

    def copy_bundles(self) -> None:
        sizes = {digest: sum(files.values()) for digest, files in self.bundles.items()}
        for _ in in_parallel_if_small(self._copy_bundle, sizes):
            pass

    def _copy_bundle(self, digest: str) -> None:
        sizes = self.bundles[digest]
        its_sizes = self.existing.bundles.get(digest)
        is_copied = its_sizes == sizes and digest not in self.new_champions
        if is_copied or (its_sizes and is_valid_bundle(self.target, digest)):
            self.tally.add_kept(BUNDLES)
            self.valid.add(digest)
        else:
            self._write_bundle(digest)
        self.progress.add(_work_of_all(sizes))

    def _write_bundle(self, digest: str) -> None:
        key = bundle_key(digest)
        try:
            files = read_bundle_files(self.source, digest)
        except (BundleError, NewerFormatError) as error:
            self.tally.add_problem(ProblemKind.INVALID, key, cause_of(error.__cause__ or error))
            return
        self.target._create_folder(key, files)
        if not is_valid_bundle(self.target, digest):
            for name, data in files.items():
                self.target._write(f"{key}/{name}", data)
            if not is_valid_bundle(self.target, digest):
                raise not_written(self.target, key)
        self.tally.add_copied(BUNDLES, sum(map(len, files.values())))
        self.valid.add(digest)

    def copy_records(self) -> None:
        for folder in RECORD_CHECKS:
            RecordCopy(
                source=self.source,
                target=self.target,
                folder=folder,
                sizes=self.records[folder],
                existing=self.existing.records[folder],
                bundles=self.valid,
                tally=self.tally,
                progress=self.progress,
            ).run()

    def copy_history(self, existing: int) -> None:
        self.tally.kept[HISTORY] = existing
        for entry, _ in self.chain[:existing]:
            name = entry_key(entry.number).removeprefix(f"{HISTORY}/")
            self.progress.add(work_of(self.records[HISTORY].get(name, 0)))
        for entry, sha256 in self.chain[existing:]:
            key = entry_key(entry.number)
            if entry.bundle not in self.valid:
                missing = bundle_key(entry.bundle)
                self.tally.add_problem(ProblemKind.MISSING, missing, f"{key} names it")
                return
            data = self.source._read_entry(entry.number, partial(self.source._read, key))
            if hashlib.sha256(data).hexdigest() != sha256:
                raise self.source._invalid_entry(entry.number, "it changed during the copy")
            created = self.target._create(key, data)
            if self.target._read(key) != data:
                if created:
                    raise not_written(self.target, key)
                raise another_history(self.source, self.target, entry.number)
            if created:
                self.tally.add_copied(HISTORY, len(data))
            self.progress.add(work_of(len(data)))

    def report(self) -> CopyReport:
        return CopyReport(
            source=self.source.location(),
            target=self.target.location(),
            copied={folder: self.tally.copied[folder] for folder in FOLDERS},
            kept={folder: self.tally.kept[folder] for folder in FOLDERS},
            size=self.tally.size,
            problems=tuple(self.tally.problems),
        )
