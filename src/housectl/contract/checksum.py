"""Checksum files, in the format that `sha256sum --check` reads."""

import hashlib
from pathlib import Path

from housectl.contract.files import file_digest
from housectl.contract.record import MalformedRecordError
from housectl.contract.regular_files import read_regular


def with_checksum(name: str, data: bytes) -> dict[str, bytes]:
    """Return a file and its checksum file, by name.

    Write them in this order and remove them in the reverse order: the checksum file then exists
    only while the file does.
    """
    line = _line(name, hashlib.sha256(data).hexdigest())
    return {name: data, checksum_path(Path(name)).name: line}


def checksum_path(file: Path) -> Path:
    """Return the path of a file's checksum file."""
    return file.with_suffix(".sha256")


def verified_digest(file: Path) -> str | None:
    """Return the sha256 of a file, in hexadecimal, checked; None without a checksum file.

    Raises:
        MalformedRecordError: The file does not match its checksum.
        OSError: The file cannot be read.
    """
    checksum = checksum_path(file)
    try:
        recorded = read_regular(checksum)
    except FileNotFoundError:
        return None
    digest = file_digest(file)
    if recorded != _line(file.name, digest):
        raise MalformedRecordError(f"{file.name} was altered: it does not match {checksum.name}")
    return digest


def _line(name: str, digest: str) -> bytes:
    return f"{digest}  {name}\n".encode()
