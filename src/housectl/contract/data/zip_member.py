"""The only file of a ZIP archive."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import IO, BinaryIO
from zipfile import BadZipFile, ZipFile

from housectl.errors import DataError

_IS_ENCRYPTED = 1
_MAX_CAUSE = 60
_WORKBOOK_MEMBER = "[Content_Types].xml"


@contextmanager
def open_only_member(path: Path, file: BinaryIO) -> Iterator[IO[bytes]]:
    """Open the only file of an archive.

    Args:
        path: Path of the archive, for errors.
        file: The open archive.

    Raises:
        DataError: The archive is damaged or encrypted, or does not have exactly one file.
    """
    from lzma import LZMAError

    try:
        archive = ZipFile(file)
    except (BadZipFile, NotImplementedError, OSError, ValueError) as error:
        # Damaged offsets and names give errors of seek() and decode().
        raise _damaged(path, error) from error
    try:
        with archive, archive.open(_only_member(path, archive)) as member:
            yield member
    except (BadZipFile, NotImplementedError, LZMAError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DataError:
    # Some messages contain bytes of the archive.
    cause = str(error)[:_MAX_CAUSE].rstrip(".")
    return DataError(f"{path} cannot be unpacked: {cause}.", hint=f"unzip -t {quote(str(path))}")


def _only_member(path: Path, archive: ZipFile) -> str:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if _WORKBOOK_MEMBER in archive.namelist():
        raise DataError(
            f"{path} is an Excel workbook or another document, and no CSV file.",
            hint="Save the sheet as CSV in UTF-8, and set `data:` in housectl.yaml to that file.",
        )
    if len(members) != 1:
        raise DataError(
            f"{path} is a ZIP archive of {len(members)} files, but exactly one is required.",
            hint=f"unzip -l {quote(str(path))}   # then set `data:` to an unpacked file",
        )
    if members[0].flag_bits & _IS_ENCRYPTED:
        raise DataError(
            f"{path} is encrypted.",
            hint=f"unzip {quote(str(path))}   # then set `data:` to the unpacked file",
        )
    return members[0].filename
