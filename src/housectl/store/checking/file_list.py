"""The files of a store, sorted into bundles, records and stray files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from housectl.contract.path_names import is_digest, is_name
from housectl.store.layout import (
    BUNDLES,
    CHALLENGERS,
    COMPARISONS,
    EVIDENCE,
    HISTORY,
    REQUIREMENTS,
    STEPS,
    VERIFICATIONS,
    file_number,
)
from housectl.store.storage import FileKind, FileStorage, StoredFile

MAX_FILES = 100_000

Sizes = dict[str, int]


def _is_numbered(name: str) -> bool:
    return file_number(name) is not None


def _is_named_by_digest(name: str, *, suffix: str = ".json") -> bool:
    return name.endswith(suffix) and is_digest(name.removesuffix(suffix))


def _is_named(name: str) -> bool:
    return name.endswith(".json") and is_name(name.removesuffix(".json"))


def _is_comparison(name: str) -> bool:
    holdout_rows, _, file = name.partition("/")
    return is_digest(holdout_rows) and _is_named_by_digest(file)


# Each folder other than that of the bundles, with the test of its names.
RECORD_NAMES: Mapping[str, Callable[[str], bool]] = {
    EVIDENCE: _is_named_by_digest,
    HISTORY: _is_numbered,
    CHALLENGERS: _is_numbered,
    VERIFICATIONS: _is_named_by_digest,
    REQUIREMENTS: partial(_is_named_by_digest, suffix=".txt"),
    STEPS: _is_named,
    COMPARISONS: _is_comparison,
}
_FOLDERS = {BUNDLES, *RECORD_NAMES}


@dataclass(kw_only=True)
class FileList:
    """The files of a store.

    Attributes:
        bundles: For each digest, the sizes of the files in the bundle's folder, by name.
        records: For each other folder, the sizes of its files, by name; the name of a comparison
            is that of its subfolder and its own.
        strays: Files and outermost folders with names that no store has, by key.
        is_complete: False if the store has more than MAX_FILES files.
    """

    bundles: dict[str, Sizes] = field(default_factory=dict)
    records: dict[str, Sizes] = field(default_factory=lambda: {name: {} for name in RECORD_NAMES})
    strays: dict[str, StoredFile] = field(default_factory=dict)
    is_complete: bool = True

    @property
    def sizes(self) -> Sequence[int]:
        """Sizes of all files but the stray ones."""
        folders = (*self.bundles.values(), *self.records.values())
        return [size for folder in folders for size in folder.values()]

    def add(self, file: StoredFile) -> None:
        """Sort a file of a listing into its place."""
        folder, _, record = file.key.partition("/")
        if folder in RECORD_NAMES and RECORD_NAMES[folder](record):
            self.records[folder][record] = file.size
            return
        match file.key.split("/"):
            case [folder, digest, name] if folder == BUNDLES and _is_file_of(digest, file):
                self.bundles.setdefault(digest, {})[name] = file.size
            case [folder] if folder in _FOLDERS and file.kind is FileKind.EMPTY_DIRECTORY:
                pass
            case [folder, digest] if folder == COMPARISONS and _is_empty_folder(digest, file):
                pass
            case _:
                stray = _outermost(file)
                self.strays[stray.key] = stray


def _is_file_of(digest: str, file: StoredFile) -> bool:
    return is_digest(digest) and file.kind is not FileKind.DIRECTORY


def _is_empty_folder(digest: str, file: StoredFile) -> bool:
    return is_digest(digest) and file.kind is FileKind.EMPTY_DIRECTORY


def _outermost(file: StoredFile) -> StoredFile:
    """Return a stray file, or the outermost folder around it that no store has."""
    names = file.key.split("/")
    match names:
        case [folder, digest, _, *_] if folder in {BUNDLES, COMPARISONS} and is_digest(digest):
            depth = 3
        case [folder, *_] if folder in _FOLDERS:
            depth = 2
        case _:
            depth = 1
    if len(names) <= depth:
        return file
    return StoredFile(key="/".join(names[:depth]), size=0, kind=FileKind.DIRECTORY)


def list_files(store: FileStorage) -> FileList:
    """List the files of a store, up to MAX_FILES.

    Raises:
        HousectlError: The store cannot be listed.
    """
    listing, files = FileList(), store._files()
    for file in islice(files, MAX_FILES):
        listing.add(file)
    listing.is_complete = next(files, None) is None
    return listing
