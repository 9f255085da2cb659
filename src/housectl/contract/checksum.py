"""A checksum beside a file, in sha256sum's own format: `sha256sum --check` reads it."""

import hashlib
from pathlib import Path

from housectl.contract.files import file_digest
from housectl.contract.record import MalformedRecordError


def with_checksum(name: str, data: bytes) -> dict[str, bytes]:
    """Return a file and its checksum by their names.

    In this order they are to be written, and in the other one removed: who finds the checksum finds
    the file.
    """
    line = _line(name, hashlib.sha256(data).hexdigest())
    return {name: data, checksum_path(Path(name)).name: line}


def checksum_path(file: Path) -> Path:
    """Return where the checksum of a file is."""
    return file.with_suffix(".sha256")


def verified_digest(file: Path) -> str | None:
    """Return the sha256 of a file, in hexadecimal, as its checksum has it; None without a checksum.

    Raises:
        MalformedRecordError: The checksum is that of other bytes.
        OSError: The file cannot be read.
    """
    checksum = checksum_path(file)
    try:
        recorded = checksum.read_bytes()
    except FileNotFoundError:
        return None
    digest = file_digest(file)
    if recorded != _line(file.name, digest):
        raise MalformedRecordError(f"{file.name} is not what {checksum.name} says: it was altered")
    return digest


def _line(name: str, digest: str) -> bytes:
    return f"{digest}  {name}\n".encode()
