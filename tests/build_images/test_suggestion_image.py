"""Dockerfile.suggestion copies each module that the service imports, and no other package."""

import re
import subprocess
import sys
from collections.abc import Iterator

from tools.project_directory import ROOT

_IMPORTED = """
import sys
from pathlib import Path
import housectl_suggestion.__main__
for name, module in sys.modules.items():
    if name.partition(".")[0] in ("housectl", "housectl_suggestion"):
        print(Path(module.__file__).resolve())
"""


def copied() -> Iterator[str]:
    dockerfile = (ROOT / "Dockerfile.suggestion").read_text()
    for sources in re.findall(r"^COPY (?!--from)(.+) housectl\S*$", dockerfile, re.MULTILINE):
        yield from (str(ROOT / source) for source in sources.split())


def test_image_has_each_imported_module() -> None:
    paths = tuple(copied())
    modules = subprocess.run(
        [sys.executable, "-c", _IMPORTED], capture_output=True, text=True, check=True
    ).stdout.split()
    missing = [
        module
        for module in modules
        if not any(module == path or module.startswith(f"{path}/") for path in paths)
    ]
    assert modules
    assert not missing
