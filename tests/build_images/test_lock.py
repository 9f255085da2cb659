"""What the images install: versions and hashes of the one resolution, and nothing else."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from housectl.pushed_images import ImageKind
from tests.projects import ROOT

REQUIREMENTS = ROOT / "requirements"
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)(?: ; [^\\]*)?((?: \\\n +--hash=\S+)+)$", re.MULTILINE)


@dataclass(frozen=True)
class Pin:
    version: str
    hashes: frozenset[str]


def pins(path: Path) -> Mapping[str, Pin]:
    text = path.read_text()
    found = {
        name: Pin(version, frozenset(re.findall(r"--hash=(\S+)", hashes)))
        for name, version, hashes in PIN.findall(text)
    }
    assert len(found) == len(re.findall(r"^[a-z]", text, re.MULTILINE))
    return found


@pytest.mark.parametrize("kind", ImageKind)
def test_an_image_has_versions_and_hashes_of_the_one_resolution(kind: ImageKind) -> None:
    whole = pins(REQUIREMENTS / "dev.txt")
    part = pins(REQUIREMENTS / f"{kind}.txt")
    assert part == {name: whole[name] for name in part}


@pytest.mark.parametrize("kind", ImageKind)
def test_an_image_has_what_its_group_names(kind: ImageKind) -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert set(groups[kind]) <= set(pins(REQUIREMENTS / f"{kind}.txt"))


@pytest.mark.parametrize("path", [*REQUIREMENTS.iterdir()], ids=lambda path: path.name)
def test_no_lock_names_a_registry(path: Path) -> None:
    assert "://" not in path.read_text()
