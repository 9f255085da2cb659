"""Directories as streams of bytes: what travels between this machine and the claim."""

import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from housectl.errors import BundleError

_CHUNK = 1 << 18


class BrokenArchiveError(Exception):
    """The stream ended before the archive did."""


def pack(directory: Path) -> bytes:
    """Return a directory's files as a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(directory, arcname=".")
    return buffer.getvalue()


def unpack(chunks: Iterator[bytes], into: Path) -> bool:
    """Write the files of a tar archive into a directory; return whether there was an archive.

    Raises:
        BundleError: It has a link, or a path out of the directory.
        BrokenArchiveError: It is cut off.
    """
    content = io.BufferedReader(_Readable(chunks), _CHUNK)
    if not content.peek(1):
        return False
    try:
        with tarfile.open(fileobj=content, mode="r|") as archive:
            for member in archive:
                _extract(archive, member, into)
    except tarfile.ReadError as error:
        raise BrokenArchiveError(str(error)) from error
    # The stream's own end tells whether the other side has sent all.
    while content.read(_CHUNK):
        pass
    return True


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    path = PurePosixPath(member.name)
    plain = member.isfile() or member.isdir()
    if not plain or path.is_absolute() or ".." in path.parts:
        raise BundleError(
            f"The output on the claim is refused: {member.name} is a link, or leads out of it.",
            hint="housectl tune   # makes another",
        )
    target = into / path
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    source = archive.extractfile(member)
    if source is None:
        raise BrokenArchiveError(f"{member.name} has no content")
    with target.open("xb") as file:
        shutil.copyfileobj(source, file, _CHUNK)


class _Readable(io.RawIOBase):
    """Chunks as a file that is read once, from front to back."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Fill a buffer as far as one chunk reaches; 0 at the end."""
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
