"""Projects in directories of their own, and the command line run on them as a process."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
HOUSECTL = Path(sys.executable).with_name("housectl")
POOR = {"min_samples_leaf": {"min": 12, "max": 16}, "n_estimators": 10}
GOOD = {"max_features": {"min": 0.3, "max": 0.6}, "n_estimators": 20}


@dataclass(frozen=True)
class CommandOutput:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, object]:
        value: dict[str, object] = json.loads(self.out)
        return value


@dataclass(frozen=True)
class ProjectDirectory:
    """A directory with a housectl.yaml; commands run in it."""

    path: Path

    @property
    def store(self) -> Path:
        return self.path / ".housectl" / "store"

    def write(self, fields: Mapping[str, object]) -> None:
        (self.path / "housectl.yaml").write_text(yaml.safe_dump(dict(fields), sort_keys=False))

    def edit_config(self, **fields: object) -> None:
        known = yaml.safe_load((self.path / "housectl.yaml").read_text())
        self.write({**known, **fields})

    def run(
        self, *arguments: str, wrapper: tuple[str, ...] = (), **environment: str
    ) -> CommandOutput:
        ended = subprocess.run(
            [*wrapper, str(HOUSECTL), *arguments],
            cwd=self.path,
            env=clean_environment() | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return CommandOutput(ended.returncode, ended.stdout, ended.stderr)

    def run_ok(self, *arguments: str, **environment: str) -> CommandOutput:
        answer = self.run(*arguments, wrapper=(), **environment)
        assert answer.status == 0, answer
        return answer

    def copy(self, path: Path) -> "ProjectDirectory":
        shutil.copytree(self.path, path)
        return ProjectDirectory(path)


def clean_environment() -> dict[str, str]:
    """This process's environment without what would change a command's mind."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("HOUSECTL_")}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}


def example(name: str, path: Path, **fields: object) -> ProjectDirectory:
    """Return a copy of one of the repository's projects, with other fields; `.` is Boston's."""
    original = ROOT / name / "housectl.yaml"
    known = yaml.safe_load(original.read_text())
    path.mkdir(parents=True)
    shutil.copy(original.parent / known["data"], path / "data.csv")
    project = ProjectDirectory(path)
    project.write({**known, "data": "data.csv", **fields})
    return project
