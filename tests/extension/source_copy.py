"""A copy of the source tree with a Python environment of its own, to which a test adds modules."""

import shutil
import site
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path

from tools.project_directory import ROOT

_PACKAGES = ("src", "trainer", "server", "suggestion")
_IMAGE_FOLDERS = ("deploy", "docs", "k8s", "requirements", "tools")
_IMAGE_FILES = (
    "Dockerfile.cli",
    "Dockerfile.server",
    "Dockerfile.suggestion",
    "Dockerfile.trainer",
    ".dockerignore",
    "LICENSE",
    "README.md",
    "pyproject.toml",
)
# Finished bytecode is copied, so that no command compiles the modules again.
_UNFINISHED_BYTECODE = shutil.ignore_patterns("*.pyc.*")


@dataclass(frozen=True)
class SourceCopy:
    """A copy of the packages; `python` and `housectl` run the copy instead of the checkout."""

    root: Path

    @property
    def python(self) -> Path:
        return self.root / ".venv" / "bin" / "python"

    @property
    def housectl(self) -> Path:
        return self.python.with_name("housectl")

    def run(self, *statements: str) -> str:
        """Run Python statements and return their output."""
        command = [self.python, "-c", "; ".join(statements)]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout

    def write(self, path: str, text: str) -> None:
        """Add a module."""
        file = self.root / path
        assert not file.exists(), file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def insert(self, path: str, *, after: str, text: str) -> None:
        """Add text behind a text that the file contains exactly once."""
        file = self.root / path
        original = file.read_text()
        assert original.count(after) == 1, (path, after)
        file.write_text(original.replace(after, after + text))


def copy_source(root: Path) -> SourceCopy:
    """Copy the packages to a new directory and make an environment that imports them from there."""
    for name in (*_PACKAGES, *_IMAGE_FOLDERS):
        shutil.copytree(ROOT / name, root / name, ignore=_UNFINISHED_BYTECODE)
    for name in _IMAGE_FILES:
        shutil.copy(ROOT / name, root)
    copy = SourceCopy(root)
    venv.create(root / ".venv", symlinks=True)
    (site_packages,) = (root / ".venv" / "lib").glob("python*/site-packages")
    # Entries of this file are searched in their order; the dependencies come last.
    entries = [*(str(root / name) for name in _PACKAGES), *site.getsitepackages()]
    (site_packages / "source_copy.pth").write_text("\n".join(entries) + "\n")
    copy.housectl.write_text(
        f"#!{copy.python}\nimport sys\n\nfrom housectl.cli.main import run\n\nsys.exit(run())\n"
    )
    copy.housectl.chmod(0o755)
    return copy
