"""Locked requirements of the images: the versions and hashes of requirements/dev.txt."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from housectl.pushed_images import ImageKind
from tools.project_directory import ROOT

REQUIREMENTS = ROOT / "requirements"
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)(?: ; [^\\]*)?((?: \\\n +--hash=\S+)+)$", re.MULTILINE)


@dataclass(frozen=True)
class Pin:
    version: str
    hashes: frozenset[str]


def pins(path: Path) -> Mapping[str, Pin]:
    text = path.read_text()
    pinned = {
        name: Pin(version, frozenset(re.findall(r"--hash=(\S+)", hashes)))
        for name, version, hashes in PIN.findall(text)
    }
    assert len(pinned) == len(re.findall(r"^[a-z]", text, re.MULTILINE))
    return pinned


@pytest.mark.parametrize("kind", ImageKind)
def test_image_uses_versions_and_hashes_of_dev_lock(kind: ImageKind) -> None:
    dev = pins(REQUIREMENTS / "dev.txt")
    image = pins(REQUIREMENTS / f"{kind}.txt")
    assert image == {name: dev[name] for name in image}


@pytest.mark.parametrize("kind", ImageKind)
def test_image_lock_includes_its_dependency_group(kind: ImageKind) -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert set(groups[kind]) <= set(pins(REQUIREMENTS / f"{kind}.txt"))


@pytest.mark.parametrize("path", sorted(REQUIREMENTS.glob("*.txt")), ids=lambda path: path.name)
def test_lock_names_no_registry(path: Path) -> None:
    assert "://" not in path.read_text()
