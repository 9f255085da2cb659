"""Projects for tests of `housectl run`, and their servers."""

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from housectl.backends.local.run_directory import RunDirectory
from housectl.store.local import LocalStore
from tests.spaces import POOR
from tests.test_end_to_end import free_port, serving
from tools.project_directory import CommandOutput, ProjectDirectory, example

# Every model of `POOR` beats every model of this space.
WORSE = {"min_samples_leaf": {"min": 60, "max": 70}, "n_estimators": 3}

TRIALS = 2


@dataclass(frozen=True)
class Deployment:
    """A project, and the port of its server."""

    project: ProjectDirectory
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def options(self) -> tuple[str, ...]:
        return ("run", "--json", "--url", self.url)

    @property
    def store(self) -> LocalStore:
        return LocalStore(self.project.store)

    @property
    def champion(self) -> str:
        return self.store.require_champion().bundle

    @property
    def history_length(self) -> int:
        return len(self.store.history())

    @property
    def runs(self) -> list[str]:
        """The names of all experiments and tasks."""
        runs = self.project.path / ".housectl" / "runs"
        return sorted(path.name for path in runs.glob("[!.]*"))

    @property
    def trials(self) -> int:
        """The number of trials of all experiments."""
        journals = self.project.path.glob(".housectl/runs/*/trials.jsonl")
        return sum(len(RunDirectory(path.parent).journal().trials()) for path in journals)

    @property
    def challengers(self) -> int:
        return len(list((self.project.store / "challengers").glob("[!.]*")))

    def serve(self) -> AbstractContextManager[str]:
        return serving(self.project, self.port)

    def run(self, *options: str, wrapper: tuple[str, ...] = ()) -> CommandOutput:
        return self.project.run(*self.options, *options, wrapper=wrapper)

    def copy(self, path: Path) -> "Deployment":
        """Copy the project, for a server on the same port."""
        return Deployment(self.project.copy(path), self.port)


def new_deployment(path: Path) -> Deployment:
    """Return a project without any search, for a short one of poor models."""
    project = example(".", path, space=POOR, budget={"trials": TRIALS}, verify={"p99_ms": 5000})
    return Deployment(project, free_port())


def steps(output: CommandOutput) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(output.out)["steps"]
    return rows


def actions(output: CommandOutput) -> list[str]:
    return [row["action"] for row in steps(output)]
