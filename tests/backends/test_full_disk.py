"""A disk that fills during a search: errors name it, and the search resumes."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from housectl.contract.disks import describe_if_full
from housectl.errors import ExitStatus
from tests.spaces import GOOD
from tools.project_directory import HOUSECTL, clean_environment, example

TIMEOUT_SECONDS = 60


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 MiB, in which a search starts."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256M", "tmpfs", path], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("tmpfs cannot be mounted: root is required (Linux only)")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


def fill(disk: Path) -> Path:
    """Write a file that takes all space of a disk, and return it."""
    path = disk / "filling"
    with path.open("wb", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return path


def test_full_disk_is_described(disk: Path) -> None:
    assert describe_if_full(disk) is None
    fill(disk)
    assert describe_if_full(disk) == f"the disk at {disk} is full (0 of 256 MiB free)"


def test_project_on_full_disk_names_disk(disk: Path) -> None:
    project = example(".", disk / "boston", space=GOOD)
    fill(disk)
    output = project.run("tune")
    assert output.status == ExitStatus.LOCAL_ENVIRONMENT
    assert f"No space left on device: the disk at {disk} is full" in output.err


@pytest.mark.slow
def test_disk_that_fills_during_search_is_named(disk: Path) -> None:
    project = example(".", disk / "boston", space=GOOD, budget={"trials": 60})
    command = subprocess.Popen(
        [HOUSECTL, "tune", "--name", "one"],
        cwd=project.path,
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(project.path / ".housectl" / "runs" / "one" / "outputs" / "0003")
    filling = fill(disk)
    _, stderr = command.communicate(timeout=TIMEOUT_SECONDS)
    assert command.returncode == ExitStatus.NO_USABLE_TRIAL
    assert f"the disk at {disk} is full (0 of 256 MiB free)" in stderr
    assert "housectl tune --resume one" in stderr
    filling.unlink()
    project.run_ok("tune", "--resume", "one")
    assert project.run_ok("status", "one", "--json").json["failed"] == {}


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, "the search has no such trial"
        time.sleep(0.01)
