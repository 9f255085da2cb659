"""Directories as tar archives, for transfers between this machine and the PVC."""

import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from housectl.errors import BundleError

_CHUNK = 1 << 18


class BrokenArchiveError(Exception):
    """The stream ended before the end of the archive."""


def pack(directory: Path) -> bytes:
    """Return the files of a directory as a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(directory, arcname=".")
    return buffer.getvalue()


def unpack(chunks: Iterator[bytes], destination: Path) -> bool:
    """Write the files of a tar archive to a directory; return False if there is no archive.

    Raises:
        BundleError: The archive has a link, or a path outside of the directory.
        BrokenArchiveError: The archive is truncated.
    """
    content = io.BufferedReader(_Readable(chunks), _CHUNK)
    if not content.peek(1):
        return False
    try:
        with tarfile.open(fileobj=content, mode="r|") as archive:
            for member in archive:
                _extract(archive, member, destination)
    except tarfile.ReadError as error:
        raise BrokenArchiveError(str(error)) from error
    # Only the end of the stream shows that the other side has sent everything.
    while content.read(_CHUNK):
        pass
    return True


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, destination: Path) -> None:
    path = PurePosixPath(member.name)
    plain = member.isfile() or member.isdir()
    if not plain or path.is_absolute() or ".." in path.parts:
        raise BundleError(
            f"The output on the PVC is unsafe: {member.name} is a link, or outside of the output.",
            hint="housectl tune   # trains another model",
        )
    target = destination / path
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    source = archive.extractfile(member)
    if source is None:
        raise BrokenArchiveError(f"{member.name} has no content")
    with target.open("xb") as file:
        shutil.copyfileobj(source, file, _CHUNK)


class _Readable(io.RawIOBase):
    """A file object for chunks that are read once, from start to end."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Fill a buffer from the current chunk; return the number of bytes, 0 at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
