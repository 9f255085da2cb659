"""Archives of outputs, including malicious ones."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from housectl.backends.katib.volume.archive import BrokenArchiveError, pack, unpack
from housectl.errors import BundleError


def chunks(content: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def archive_of(**fields: object) -> bytes:
    """Return an archive of one member with these fields and three bytes of content."""
    member = tarfile.TarInfo()
    member.size = 3
    for name, value in fields.items():
        setattr(member, name, value)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(member, io.BytesIO(b"abc"))
    return buffer.getvalue()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "directory"
    (directory / "sub" / "deep").mkdir(parents=True)
    (directory / "sub" / "big").write_bytes(bytes(range(256)) * 4096)
    (directory / "sub" / "deep" / "empty").touch()
    return directory


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    destination = tmp_path / "destination"
    destination.mkdir()
    return destination


@pytest.mark.parametrize("size", [1, 511, 1 << 20])
def test_unpacked_directory_equals_packed_one(
    directory: Path, destination: Path, size: int
) -> None:
    assert unpack(chunks(pack(directory), size), destination)
    for path in directory.rglob("*"):
        copy = destination / path.relative_to(directory)
        assert copy.is_dir() == path.is_dir()
        assert path.is_dir() or copy.read_bytes() == path.read_bytes()


def test_empty_stream_is_no_archive(destination: Path) -> None:
    assert not unpack(iter([]), destination)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "../out"},
        {"name": "sub/../../out"},
        {"name": "/tmp/out"},
        {"name": "link", "type": tarfile.SYMTYPE, "linkname": "/etc"},
        {"name": "link", "type": tarfile.LNKTYPE, "linkname": "other"},
        {"name": "pipe", "type": tarfile.FIFOTYPE},
        {"name": "device", "type": tarfile.CHRTYPE},
    ],
)
def test_unsafe_members_are_refused(fields: dict[str, object], destination: Path) -> None:
    with pytest.raises(BundleError, match="is unsafe"):
        unpack(iter([archive_of(**fields)]), destination)
    assert list(destination.iterdir()) == []
    assert not (destination.parent / "out").exists()


def test_truncated_archive_is_detected(directory: Path, destination: Path) -> None:
    content = pack(directory)
    with pytest.raises(BrokenArchiveError):
        unpack(chunks(content[: len(content) // 2], 4096), destination)
