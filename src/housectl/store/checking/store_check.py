"""`housectl store check`: every file of a store, with all problems and a hint for each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from housectl.contract.bundle_record import BUNDLE_FILE, SHORT_DIGEST
from housectl.errors import UsageError
from housectl.store.checking.bundle_check import BundleCheck
from housectl.store.checking.chain_check import chain_problems, read_links
from housectl.store.checking.file_list import MAX_FILES, FileList, list_files
from housectl.store.checking.parallel import in_parallel, in_parallel_if_small, work_of
from housectl.store.checking.problems import ProblemKind, StoreProblem
from housectl.store.checking.record_checks import (
    INVALID_RECORD,
    RECORD_CHECKS,
    read_record,
    record_problem,
)
from housectl.store.layout import CHALLENGERS, HISTORY, entry_key, file_number
from housectl.store.storage import FileKind, FileStorage, StoredFile
from housectl.work_progress import ShareReporter, WorkProgress

MAX_PROBLEMS = 1000

_MAX_SHOWN_VERSIONS = 10


@dataclass(frozen=True, kw_only=True)
class StoreReport:
    """The result of checking a store.

    Attributes:
        store: Path or URL of the store.
        bundles, entries: Number of bundles and of history entries.
        files, size: Number of files, and their size in bytes; without stray files.
        problems: The first MAX_PROBLEMS problems.
        problem_count: Number of all problems.
        unused: Digests of the bundles that no history entry and no challenger names.
    """

    store: str
    bundles: int
    entries: int
    files: int
    size: int
    problems: Sequence[StoreProblem]
    problem_count: int
    unused: Sequence[str]

    @property
    def notes(self) -> Sequence[str]:
        """Sentences about the store that are no problems."""
        if not self.unused:
            return ()
        versions = [digest[:SHORT_DIGEST] for digest in self.unused[:_MAX_SHOWN_VERSIONS]]
        more = ", …" if len(self.unused) > _MAX_SHOWN_VERSIONS else ""
        count = f"{len(self.unused)} bundles" if len(self.unused) > 1 else "one bundle"
        return (f"No history entry and no challenger names {count}: {', '.join(versions)}{more}.",)


def check_store(store: FileStorage, report_share: ShareReporter) -> StoreReport:
    """Check every file of a store; the first problem does not end the check.

    Raises:
        UsageError: The store is empty or missing.
        HousectlError: The store cannot be listed or reached.
    """
    listing = list_files(store)
    if not listing.sizes and not listing.strays:
        raise UsageError(
            f"The store {store.location()} cannot be checked: it is empty or missing.",
            hint=store._list_command(""),
        )
    progress = WorkProgress(sum(map(work_of, listing.sizes)), report_share)
    return _StoreCheck(store, listing, progress).report()


@dataclass
class _StoreCheck:
    """A running check.

    Attributes:
        champions: For each bundle that the history names, the key of the newest entry.
        challengers: For each bundle that challengers name, their keys.
    """

    store: FileStorage
    listing: FileList
    progress: WorkProgress
    champions: dict[str, str] = field(default_factory=dict)
    challengers: dict[str, list[str]] = field(default_factory=dict)

    def report(self) -> StoreReport:
        problems = list(self._problems())
        named = self.champions.keys() | self.challengers.keys()
        written = (name for name, files in self.listing.bundles.items() if BUNDLE_FILE in files)
        sizes = self.listing.sizes
        return StoreReport(
            store=self.store.location(),
            bundles=len(self.listing.bundles),
            entries=len(self.listing.records[HISTORY]),
            files=len(sizes),
            size=sum(sizes),
            problems=tuple(problems[:MAX_PROBLEMS]),
            problem_count=len(problems),
            unused=sorted({*written} - named),
        )

    def _problems(self) -> Iterator[StoreProblem]:
        """Yield all problems. The bundles come last, because the records name them."""
        if not self.listing.is_complete:
            yield self._too_many_files()
        yield from self._history_problems()
        for folder in RECORD_CHECKS:
            names = sorted(self.listing.records[folder])
            for problem in in_parallel(partial(self._check_record, folder), names):
                if problem:
                    yield problem
        yield from self._bundle_problems()
        yield from (self._stray(file) for _, file in sorted(self.listing.strays.items()))

    def _history_problems(self) -> Iterator[StoreProblem]:
        sizes = self.listing.records[HISTORY]
        links = []
        for link in read_links(self.store, sorted(filter(None, map(file_number, sizes)))):
            key = entry_key(link.number)
            self.progress.add(work_of(sizes[key.removeprefix(f"{HISTORY}/")]))
            if link.entry:
                self.champions[link.entry.bundle] = key
            links.append(link)
        return chain_problems(self.store, links)

    def _check_record(self, folder: str, name: str) -> StoreProblem | None:
        try:
            _, bundle = read_record(self.store, folder, name)
        except INVALID_RECORD as error:
            return record_problem(self.store, folder, name, error)
        finally:
            self.progress.add(work_of(self.listing.records[folder][name]))
        if bundle and folder == CHALLENGERS:
            self.challengers.setdefault(bundle, []).append(f"{folder}/{name}")
        return None

    def _bundle_problems(self) -> Iterator[StoreProblem]:
        digests = self.listing.bundles.keys() | self.champions.keys() | self.challengers.keys()
        sizes = {digest: sum(self._sizes(digest)) for digest in sorted(digests)}
        for problems in in_parallel_if_small(self._check_bundle, sizes):
            yield from problems

    def _sizes(self, digest: str) -> Sequence[int]:
        return [*self.listing.bundles.get(digest, {}).values()]

    def _check_bundle(self, digest: str) -> Sequence[StoreProblem]:
        check = BundleCheck(
            store=self.store,
            digest=digest,
            names=self.listing.bundles.get(digest, {}),
            champion=self.champions.get(digest),
            challengers=tuple(self.challengers.get(digest, ())),
        )
        problems = [*check.problems()]
        self.progress.add(sum(map(work_of, self._sizes(digest))))
        return problems

    def _stray(self, file: StoredFile) -> StoreProblem:
        is_unreadable = file.kind is FileKind.UNREADABLE_DIRECTORY
        return StoreProblem(
            kind=ProblemKind.INVALID if is_unreadable else ProblemKind.STRAY,
            file=self.store.location(file.key),
            cause="it cannot be listed" if is_unreadable else f"no store has this {file.kind}",
            hint=self._stray_hint(file),
        )

    def _stray_hint(self, file: StoredFile) -> str:
        match file.kind:
            case FileKind.UNREADABLE_DIRECTORY:
                return self.store._list_command(file.key)
            case FileKind.DIRECTORY:
                show = self.store._list_command(file.key)
                return f"{show}   # remove this folder if nobody needs it"
            case FileKind.EMPTY_DIRECTORY:
                return self.store._remove_folder_command(file.key)
            case _:
                return self.store._remove_command(file.key)

    def _too_many_files(self) -> StoreProblem:
        return StoreProblem(
            kind=ProblemKind.STRAY,
            file=self.store.location(),
            cause=f"it has more than {MAX_FILES} files; the others were not checked",
            hint=self.store._list_command(""),
        )
