"""Check of one bundle in a store, which does not end at the first problem."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from housectl.contract.bundle_record import BUNDLE_FILE
from housectl.errors import BundleError, NewerFormatError
from housectl.store.checking.bundle_files import invalid_files, read_bundle_files
from housectl.store.checking.problems import ProblemKind, StoreProblem, cause_of
from housectl.store.checking.record_checks import INVALID_RECORD
from housectl.store.layout import bundle_key
from housectl.store.storage import FileStorage


@dataclass(frozen=True, kw_only=True)
class BundleCheck:
    """Check of a bundle.

    Attributes:
        names: Names of the files in its folder.
        champion: Key of the newest history entry that names it; None without one.
        challengers: Keys of the challengers that name it.
    """

    store: FileStorage
    digest: str
    names: Iterable[str]
    champion: str | None
    challengers: tuple[str, ...]

    @property
    def is_named(self) -> bool:
        """True if a history entry or a challenger names the bundle."""
        return self.champion is not None or bool(self.challengers)

    def problems(self) -> Iterator[StoreProblem]:
        """Yield the missing, invalid and stray files."""
        try:
            files = read_bundle_files(self.store, self.digest)
        except (BundleError, NewerFormatError) as error:
            yield from self._invalid_files(error)
        else:
            for name in sorted({*self.names} - files.keys()):
                yield self._stray(name)

    def _invalid_files(self, failure: Exception) -> Iterator[StoreProblem]:
        try:
            files = [*invalid_files(self.store, self.digest)]
        except FileNotFoundError:
            yield self._without_record()
            return
        except INVALID_RECORD as error:
            yield self._problem(ProblemKind.INVALID, BUNDLE_FILE, cause_of(error))
            return
        for file in files:
            yield self._problem(file.kind, file.name, file.cause)
        if not files:
            cause = cause_of(failure.__cause__ or failure)
            yield self._problem(ProblemKind.INVALID, BUNDLE_FILE, cause)

    def _without_record(self) -> StoreProblem:
        if not self.is_named:
            return self._problem(ProblemKind.STRAY, "", f"it has no {BUNDLE_FILE}")
        namer = self.store.location(self.champion or self.challengers[-1])
        return self._problem(
            ProblemKind.MISSING, "", f"it has no {BUNDLE_FILE}, but {namer} names it"
        )

    def _stray(self, name: str) -> StoreProblem:
        key = f"{bundle_key(self.digest)}/{name}"
        return StoreProblem(
            kind=ProblemKind.STRAY,
            file=self.store.location(key),
            cause="its bundle has no such file",
            hint=self.store._remove_command(key),
        )

    def _problem(self, kind: ProblemKind, name: str, cause: str) -> StoreProblem:
        folder = bundle_key(self.digest)
        return StoreProblem(
            kind=kind,
            file=self.store.location(f"{folder}/{name}" if name else folder),
            cause=cause,
            hint=self._hint(folder),
        )

    def _hint(self, folder: str) -> str:
        """Return the command that repairs the store without this bundle, or shows its folder."""
        if self.champion is not None:
            return f"{self.store._list_command(folder)}   # restore this folder from a backup"
        remove = self.store._remove_folder_command(folder)
        if not self.challengers:
            return f"{remove}   # unless a command is writing it"
        challengers = self.store._remove_command(*self.challengers)
        return f"{remove} && {challengers}   # the next promotion seals it again"
