"""The trainer's image has exactly the code and the lock that a bundle records."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from housectl.contract.trainer_code import LOCK_FILE, trainer_files
from tools.project_directory import ROOT

COPY = re.compile(r"^COPY (?P<sources>[^-].*) (?P<target>housectl\S*)$", re.MULTILINE)


def copied_files() -> Mapping[str, Path]:
    """Return the files that Dockerfile.trainer copies to its modules, by their target."""
    dockerfile = (ROOT / "Dockerfile.trainer").read_text()
    return {
        target: source
        for match in COPY.finditer(dockerfile)
        for name in match["sources"].split()
        for target, source in _files(ROOT / name, match["target"])
    }


def _files(source: Path, target: str) -> Iterator[tuple[str, Path]]:
    if source.is_file():
        yield (f"{target}{source.name}" if target.endswith("/") else target), source
        return
    for path in source.rglob("*.py"):
        yield f"{target}/{path.relative_to(source)}", path


def test_image_has_the_code_whose_digest_is_recorded() -> None:
    python_files = {name: path for name, path in copied_files().items() if name.endswith(".py")}
    assert python_files == trainer_files()


def test_image_has_the_lock_where_the_trainer_reads_it() -> None:
    assert copied_files()[f"housectl/{LOCK_FILE}"] == ROOT / LOCK_FILE
