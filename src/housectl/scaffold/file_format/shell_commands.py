"""Shell commands in hints, which print lines of a data file."""

from pathlib import Path
from shlex import quote

from housectl.contract.data.text_file import FileKind, file_kind

_UNPACK = {FileKind.GZIP: "gzip -cd", FileKind.ZIP: "unzip -p"}
_PRINT_PARQUET = "import sys, pyarrow.parquet as p; print(p.read_table(sys.argv[1]))"


def print_lines(path: Path, command: str) -> str:
    """Return a command that prints lines of a data file, which may be compressed.

    Args:
        path: The file; of a Parquet file, the columns and some rows are printed.
        command: Command for its text, such as `head -3`.
    """
    kind, file = file_kind(path), quote(str(path))
    if kind is FileKind.PARQUET:
        return f"python -c {quote(_PRINT_PARQUET)} {file}"
    return f"{command} {file}" if kind is FileKind.PLAIN else f"{_UNPACK[kind]} {file} | {command}"
