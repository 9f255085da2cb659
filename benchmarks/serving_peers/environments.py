"""Throw-away environments of other model servers, in build/serving-peers."""

import subprocess
import sys
from pathlib import Path

from benchmarks.measurement import log
from tools.project_directory import ROOT

_DIRECTORY = ROOT / "build" / "serving-peers"
_INSTALLED = ".installed"


class InstallationError(RuntimeError):
    """An environment cannot be installed here; the message is pip's last line."""


def environment(name: str) -> Path:
    """Return an environment with the locked packages of a server; a complete one is used again.

    Raises:
        InstallationError: pip failed.
    """
    requirements = ROOT / "requirements" / f"serving-peers-{name}.txt"
    directory = _DIRECTORY / name
    locked = requirements.read_text()
    mark = directory / _INSTALLED
    if mark.exists() and mark.read_text() == locked:
        return directory
    log(f"installing {requirements.name} into {directory}")
    python = directory / "bin" / "python"
    _run([sys.executable, "-m", "venv", directory])
    options = ("--quiet", "--disable-pip-version-check", "--require-hashes")
    _run([python, "-m", "pip", "install", *options, "-r", requirements])
    mark.write_text(locked)
    return directory


def megabytes_on_disk(directory: Path) -> float:
    """Return the size of all files below a directory."""
    return sum(path.lstat().st_size for path in directory.rglob("*")) / 1e6


def _run(command: list[str | Path]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        lines = (result.stderr or result.stdout).strip().splitlines() or ["no output"]
        raise InstallationError(lines[-1])
