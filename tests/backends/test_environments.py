"""Environments of recorded trainers, with one small package instead of the whole lock."""

import os
import re
from pathlib import Path

import pytest

from housectl.backends.local.environments import TrainerEnvironments
from housectl.backends.local.pip import InstallProgress
from housectl.contract.trainer_code import read_lock
from housectl.errors import LocalEnvironmentError

pytestmark = pytest.mark.slow


@pytest.fixture
def environments(tmp_path: Path) -> TrainerEnvironments:
    return TrainerEnvironments(tmp_path / "environments")


@pytest.fixture(scope="module")
def small_lock() -> str:
    """The lock's entry of its smallest package."""
    lock = read_lock()
    assert lock is not None
    match = re.search(r"^threadpoolctl==.*\n(?: +--hash=.*\n)+", lock.decode(), re.MULTILINE)
    assert match
    return match[0]


def built(environments: TrainerEnvironments, requirements: str) -> tuple[Path, list[str]]:
    lines: list[str] = []
    return environments.python(requirements, lines.append), lines


def test_complete_environment_is_used_again_and_damaged_one_is_rebuilt(
    environments: TrainerEnvironments, small_lock: str
) -> None:
    old = [environments.root / str(number) for number in range(4)]
    for number, path in enumerate(old):
        path.mkdir(parents=True)
        (path / "environment.json").touch()
        os.utime(path / "environment.json", (number, number))
    python, lines = built(environments, small_lock)
    assert {line.partition(":")[0] for line in lines} == {"environment"}
    path = python.parents[1]
    assert set(environments.root.iterdir()) == {path, *old[2:]}, "the last three are kept"
    assert built(environments, small_lock) == (python, [])
    (path / "environment.json").write_text("{}")
    again, lines = built(environments, small_lock)
    assert again == python
    assert lines
    assert set(environments.root.iterdir()) == {path, *old[2:]}


def test_progress_names_the_activity_and_the_time_left() -> None:
    progress = InstallProgress(2)
    assert re.fullmatch(r"environment: package 0 of 2, about \d+ s left", progress.line(""))
    output = "Collecting numpy==2.4.6 (from -r r.txt (line 1))\n"
    assert progress.line(output).startswith("environment: package 1 of 2, ")
    output += "Installing collected packages: numpy\n"
    assert re.fullmatch(
        r"environment: installing 2 packages, about \d+ s left", progress.line(output)
    )


def test_wheel_with_another_hash_is_refused(
    environments: TrainerEnvironments, small_lock: str
) -> None:
    forged = re.sub(r"sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", small_lock)
    with pytest.raises(LocalEnvironmentError, match="DO NOT MATCH THE HASHES") as caught:
        built(environments, forged)
    (log,) = environments.root.iterdir()
    assert str(log) in caught.value.hint


def test_unreachable_index_is_the_cause(
    environments: TrainerEnvironments, small_lock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    with pytest.raises(LocalEnvironmentError, match="the package index does not respond") as caught:
        built(environments, small_lock)
    assert caught.value.hint.startswith("pip config list")


def test_file_in_place_of_the_directory_is_an_error(tmp_path: Path, small_lock: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalEnvironmentError, match="Not a directory"):
        built(TrainerEnvironments(tmp_path / "file" / "environments"), small_lock)
