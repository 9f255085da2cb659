"""Interface of the storage below a champion store: files under keys, such as `history/1.json`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from housectl.contract.regular_files import MAX_RECORD_BYTES


class FileKind(StrEnum):
    """Kind of a stored file; only regular ones are valid."""

    REGULAR = "regular file"
    LINK = "link"
    DIRECTORY = "directory"
    EMPTY_DIRECTORY = "empty directory"
    UNREADABLE_DIRECTORY = "unreadable directory"
    SPECIAL = "special file"


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file of a listing.

    Attributes:
        size: Size in bytes; 0 for other kinds than regular files.
    """

    key: str
    size: int
    kind: FileKind = FileKind.REGULAR


class FileStorage(ABC):
    """Files under keys, each visible only when it is complete.

    Reads report a missing file as FileNotFoundError, and other failures as OSError or
    HousectlError. Writes report every failure as HousectlError.
    """

    @abstractmethod
    def location(self, key: str = "") -> str:
        """Return the path or URL of a key, for messages; of the whole store by default."""

    @abstractmethod
    def _uri(self, key: str) -> str:
        """Return the URI of a key."""

    @abstractmethod
    def _folder_exists(self, key: str) -> bool:
        """Return True if there is a complete folder with this key."""

    @abstractmethod
    def _revisions(self, folder: str) -> Mapping[str, object]:
        """Return the names of the complete files and folders in a folder; empty if it is missing.

        Each name has a value that changes when the file is replaced, such as its time of change.
        """

    @abstractmethod
    def _files(self) -> Iterator[StoredFile]:
        """Yield all files of the store, except temporary ones, in any order.

        Links are not followed. A directory is listed as a file if it is empty, unreadable, or
        inside the folder of a bundle.
        """

    @abstractmethod
    def _numbered_files(self, folder: str) -> Mapping[int, Callable[[], bytes]]:
        """Return the numbered files of a folder, each with a function that returns its content."""

    @abstractmethod
    def _read(self, key: str, *, limit: int = MAX_RECORD_BYTES) -> bytes:
        """Return the content of a file of at most `limit` bytes."""

    @abstractmethod
    def _write(self, key: str, data: bytes) -> None:
        """Write a file atomically and durably; replace an existing one."""

    @abstractmethod
    def _create(self, key: str, data: bytes) -> bool:
        """Write a new file atomically and durably; return False if the key exists."""

    @abstractmethod
    def _create_folder(self, key: str, files: Mapping[str, bytes]) -> None:
        """Write a new folder durably; keep an existing one.

        The folder exists once its last file exists.
        """

    @abstractmethod
    def _delete(self, key: str) -> None:
        """Delete a file, if it exists."""

    @abstractmethod
    def _remove_stale_files(self) -> None:
        """Remove temporary files of killed writers."""

    def _names(self, folder: str) -> list[str]:
        """Return the names of the complete files and folders in a folder, in their order."""
        return sorted(self._revisions(folder))

    @abstractmethod
    def _list_command(self, key: str) -> str:
        """Return the shell command that lists a file or folder, for hints."""

    @abstractmethod
    def _remove_command(self, *keys: str) -> str:
        """Return the shell command that removes files, for hints."""

    @abstractmethod
    def _remove_folder_command(self, key: str) -> str:
        """Return the shell command that removes a folder with all of its files, for hints."""
