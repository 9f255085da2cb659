"""The amount of text in a data file, for the progress of reading it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from housectl.contract.data.text_file import FileKind, file_kind

_SIZE_BYTES = 4


@dataclass(frozen=True)
class FileAmount:
    """Amount of a file's content, in any unit.

    Attributes:
        total: Amount of all rows.
        of_row: Returns the amount of a row's cells.
    """

    total: int
    of_row: Callable[[Sequence[str]], int]


def file_amount(path: Path) -> FileAmount:
    """Return the amount of a readable data file: its rows if it is Parquet, else its characters.

    A text with characters of several bytes has fewer characters than this.

    Raises:
        DataError: The file cannot be read.
    """
    match file_kind(path):
        case FileKind.PARQUET:
            from pyarrow.parquet import read_metadata

            return FileAmount(total=read_metadata(path).num_rows, of_row=lambda _: 1)
        case FileKind.GZIP:
            total = _gzip_content_bytes(path)
        case FileKind.ZIP:
            with ZipFile(path) as archive:
                total = sum(member.file_size for member in archive.infolist())
        case FileKind.PLAIN:
            total = path.stat().st_size
    return FileAmount(total=total, of_row=_row_length)


def _gzip_content_bytes(path: Path) -> int:
    """Return the size of the content, which is in the last bytes of the file."""
    with path.open("rb") as file:
        file.seek(-_SIZE_BYTES, os.SEEK_END)
        return int.from_bytes(file.read(), "little")


def _row_length(cells: Sequence[str]) -> int:
    return sum(map(len, cells)) + len(cells)
