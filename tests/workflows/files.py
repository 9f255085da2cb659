"""The workflows of this repository, and the templates of those that `init --github` writes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tools.project_directory import ROOT

WORKFLOWS = ROOT / ".github" / "workflows"
SETUP = ROOT / ".github" / "actions" / "setup" / "action.yaml"
TEMPLATES = ROOT / "src" / "housectl" / "scaffold" / "workflows"


@dataclass(frozen=True)
class Step:
    """A step of a job; `label` is unique in all workflows."""

    label: str
    fields: Mapping[str, Any]

    @property
    def run(self) -> str:
        text: str = self.fields.get("run", "")
        return text.strip()


@dataclass(frozen=True)
class Job:
    """A job of a workflow."""

    label: str
    fields: Mapping[str, Any]

    @property
    def condition(self) -> str:
        return str(self.fields.get("if", ""))

    @property
    def needs(self) -> Sequence[str]:
        needs = self.fields.get("needs", [])
        return [needs] if isinstance(needs, str) else needs

    @property
    def steps(self) -> list[Step]:
        return [
            Step(f"{self.label}: {step.get('name', step.get('uses'))}", step)
            for step in self.fields["steps"]
        ]


@dataclass(frozen=True)
class Workflow:
    """A workflow file; the labels of its steps begin with `prefix`."""

    path: Path
    prefix: str

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        fields: Mapping[str, Any] = yaml.safe_load(self.path.read_text())
        return fields

    @cached_property
    def jobs(self) -> dict[str, Job]:
        return {
            name: Job(f"{self.prefix}{self.path.stem}/{name}", fields)
            for name, fields in self.fields["jobs"].items()
        }


def load_workflow(directory: Path, name: str) -> Workflow:
    """Return a workflow of this repository, or one of a user's repository."""
    return Workflow(directory / f"{name}.yaml", prefix="" if directory == WORKFLOWS else "user's ")


def all_steps() -> Iterator[Step]:
    """Yield the steps of all workflows and templates, and of the action that they share."""
    for directory in (WORKFLOWS, TEMPLATES):
        for path in sorted(directory.glob("*.yaml")):
            for job in load_workflow(directory, path.stem).jobs.values():
                yield from job.steps
    action: Mapping[str, Any] = yaml.safe_load(SETUP.read_text())
    yield from Job("setup", action["runs"]).steps
