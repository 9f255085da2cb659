"""The workflows of this repository, and the templates of those that `init --github` writes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tools.project_directory import ROOT

WORKFLOWS = ROOT / ".github" / "workflows"
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
    """A workflow file."""

    path: Path

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        fields: Mapping[str, Any] = yaml.safe_load(self.path.read_text())
        return fields

    @cached_property
    def jobs(self) -> dict[str, Job]:
        return {
            name: Job(f"{self.path.stem}/{name}", fields)
            for name, fields in self.fields["jobs"].items()
        }

    def steps(self) -> Iterator[Step]:
        for job in self.jobs.values():
            yield from job.steps


def load_workflow(path: Path) -> Workflow:
    return Workflow(path)
