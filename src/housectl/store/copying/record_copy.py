"""Copy of the records of one folder: created in the target, or compared with existing ones."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from housectl.store.base import ChampionStore
from housectl.store.checking.parallel import in_parallel, work_of
from housectl.store.checking.problems import ProblemKind, cause_of
from housectl.store.checking.record_checks import (
    INVALID_RECORD,
    RECORD_CHECKS,
    OnDifference,
    read_record,
    valid_record,
)
from housectl.store.copying.copy_conflicts import another_challenger, not_written
from housectl.store.copying.copy_report import CopyTally
from housectl.store.layout import bundle_key
from housectl.work_progress import WorkProgress


@dataclass(frozen=True, kw_only=True)
class RecordCopy:
    """A running copy of a folder.

    Attributes:
        sizes: Sizes of the records to copy, by name.
        existing: Sizes of the target's records at the start, by name.
        bundles: Digests of the bundles that the target has.
    """

    source: ChampionStore
    target: ChampionStore
    folder: str
    sizes: Mapping[str, int]
    existing: Mapping[str, int]
    bundles: Collection[str]
    tally: CopyTally
    progress: WorkProgress

    def run(self) -> None:
        """Copy the records that the target lacks.

        Raises:
            StoreConflictError: The target has another challenger with the same number.
            LocalEnvironmentError: The target cannot be written.
        """
        for _ in in_parallel(self._copy, sorted(self.sizes)):
            pass

    def _copy(self, name: str) -> None:
        size = self.sizes[name]
        if self._on_difference is OnDifference.KEEP and self.existing.get(name) == size:
            self.tally.add_kept(self.folder)
        else:
            self._compare(name)
        self.progress.add(work_of(size))

    def _compare(self, name: str) -> None:
        key = f"{self.folder}/{name}"
        try:
            data, bundle = read_record(self.source, self.folder, name)
        except INVALID_RECORD as error:
            self.tally.add_problem(ProblemKind.INVALID, key, cause_of(error))
            return
        if bundle and bundle not in self.bundles:
            self.tally.add_problem(ProblemKind.MISSING, bundle_key(bundle), f"{key} names it")
            return
        exists = name in self.existing or not self.target._create(key, data)
        if exists and not self._must_replace(name, data):
            self.tally.add_kept(self.folder)
            return
        if exists:
            self.target._write(key, data)
        if valid_record(self.target, self.folder, name) != data:
            self._check_replaced(name)
        self.tally.add_copied(self.folder, len(data))

    def _check_replaced(self, name: str) -> None:
        """Accept another valid record if a second copy can have replaced the one of this copy."""
        can_be_replaced = self._on_difference is OnDifference.REPLACE
        if not (can_be_replaced and valid_record(self.target, self.folder, name)):
            raise not_written(self.target, f"{self.folder}/{name}")

    def _must_replace(self, name: str, data: bytes) -> bool:
        """Return True if the target's record must become that of the source."""
        existing = valid_record(self.target, self.folder, name)
        if existing in {None, data}:
            return existing is None
        if self._on_difference is OnDifference.REFUSE:
            raise another_challenger(self.source, self.target, f"{self.folder}/{name}")
        return self._on_difference is OnDifference.REPLACE

    @property
    def _on_difference(self) -> OnDifference:
        return RECORD_CHECKS[self.folder].on_difference
