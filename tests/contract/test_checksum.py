"""The checksum file of a file."""

import subprocess
from pathlib import Path

import pytest

from housectl.contract.checksum import checksum_path, verified_digest, with_checksum
from housectl.contract.files import file_digest
from housectl.contract.record import MalformedRecordError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    for name, data in with_checksum("model.ubj", b"trees").items():
        (tmp_path / name).write_bytes(data)
    return tmp_path / "model.ubj"


def test_checksum_is_verified_here_and_by_sha256sum(file: Path) -> None:
    assert verified_digest(file) == file_digest(file)
    check = ["sha256sum", "--check", "--strict", checksum_path(file).name]
    assert subprocess.run(check, cwd=file.parent, check=False).returncode == 0
    file.write_bytes(b"threes")
    with pytest.raises(MalformedRecordError, match=r"model\.ubj was altered: it does not match"):
        verified_digest(file)
    assert subprocess.run(check, cwd=file.parent, check=False).returncode == 1


def test_missing_checksum_gives_no_digest(file: Path) -> None:
    checksum_path(file).unlink()
    assert verified_digest(file) is None


def test_checksum_without_its_file_is_an_error(file: Path) -> None:
    file.unlink()
    with pytest.raises(FileNotFoundError):
        verified_digest(file)


def test_damaged_checksum_is_an_error(file: Path) -> None:
    checksum_path(file).write_bytes(b"\xff")
    with pytest.raises(MalformedRecordError):
        verified_digest(file)


def test_file_is_written_before_its_checksum() -> None:
    assert list(with_checksum("model.ubj", b"")) == ["model.ubj", "model.sha256"]
