"""Projects in directories of their own, and processes of the command line that run on them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
HOUSECTL = Path(sys.executable).with_name("housectl")


@dataclass(frozen=True)
class CommandOutput:
    """Exit status, stdout and stderr of a command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, object]:
        """The JSON object on stdout."""
        value: dict[str, object] = json.loads(self.out)
        return value


class CommandFailedError(AssertionError):
    """A command that has to succeed failed."""


@dataclass(frozen=True)
class ProjectDirectory:
    """A directory with a housectl.yaml; `housectl` runs in it."""

    path: Path
    housectl: Path = HOUSECTL

    @property
    def store(self) -> Path:
        """The directory of the project's store."""
        return self.path / ".housectl" / "store"

    def write(self, fields: Mapping[str, object]) -> None:
        """Write housectl.yaml."""
        (self.path / "housectl.yaml").write_text(yaml.safe_dump(dict(fields), sort_keys=False))

    def edit_config(self, **fields: object) -> None:
        """Set fields of housectl.yaml; the others keep their values."""
        self.write({**_read_fields(self.path), **fields})

    def run(
        self, *arguments: str, wrapper: tuple[str, ...] = (), **environment: str
    ) -> CommandOutput:
        """Run a command of housectl, below another program if `wrapper` names one."""
        process = subprocess.run(
            [*wrapper, str(self.housectl), *arguments],
            cwd=self.path,
            env=clean_environment() | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return CommandOutput(process.returncode, process.stdout, process.stderr)

    def run_ok(self, *arguments: str, **environment: str) -> CommandOutput:
        """Run a command of housectl that has to succeed.

        Raises:
            CommandFailedError: The exit status is not 0.
        """
        output = self.run(*arguments, wrapper=(), **environment)
        if output.status:
            raise CommandFailedError(output)
        return output

    def copy(self, path: Path) -> "ProjectDirectory":
        """Copy the project with its store."""
        shutil.copytree(self.path, path)
        return replace(self, path=path)


def clean_environment() -> dict[str, str]:
    """Return this process's environment without the variables of housectl and of a GitHub job."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HOUSECTL_", "GITHUB_"))
    }
    return kept | {"PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}


def copy_boston(path: Path) -> ProjectDirectory:
    """Copy Boston's housectl.yaml, with its comments, and its data to a new directory."""
    shutil.copytree(ROOT / "data", path / "data")
    shutil.copy(ROOT / "housectl.yaml", path)
    return ProjectDirectory(path)


def example(name: str, path: Path, **fields: object) -> ProjectDirectory:
    """Return a copy of one of the repository's projects with other fields and `data.csv`."""
    original = ROOT / name
    known = _read_fields(original)
    path.mkdir(parents=True)
    shutil.copy(original / str(known["data"]), path / "data.csv")
    project = ProjectDirectory(path)
    project.write({**known, "data": "data.csv", **fields})
    return project


def _read_fields(directory: Path) -> dict[str, object]:
    fields: dict[str, object] = yaml.safe_load((directory / "housectl.yaml").read_text())
    return fields
