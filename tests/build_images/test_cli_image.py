"""Dockerfile.cli copies each file of the wheel that it builds; tests/cluster runs the image."""

import re
import tomllib
from collections.abc import Collection, Iterator

import pytest

from tools.project_directory import ROOT


def wheel_sources() -> Iterator[str]:
    """Return the paths that pyproject.toml puts into the wheel."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    wheel = build["targets"]["wheel"]
    yield from (*wheel["packages"], *wheel["force-include"])


def includes(path: str, sources: Collection[str]) -> bool:
    return any(path == source or path.startswith(f"{source}/") for source in sources)


@pytest.mark.parametrize("path", sorted(wheel_sources()))
def test_build_has_each_file_of_the_wheel(path: str) -> None:
    dockerfile = (ROOT / "Dockerfile.cli").read_text()
    copied = [
        source
        for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
        for source in sources.split()
    ]
    sent = re.findall(r"^!(.+?)(?:/\*\.txt)?$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert includes(path, copied)
    assert includes(path, sent)
