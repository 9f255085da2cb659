"""A runner of jobs: it runs the `run:` lines of the steps in order, as GitHub's runner does."""

import os
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.workflows.expressions import expand, holds
from tests.workflows.files import Job, Workflow
from tools.project_directory import HOUSECTL, clean_environment


@dataclass
class Runner:
    """A runner with a checkout.

    Attributes:
        checkout: The checkout of the repository.
        files: A directory for the files through which steps communicate.
        values: Values of expressions, such as `vars.HOUSECTL_STORE`.
        variables: Environment variables of the machine, which precede those of the workflow.
        elsewhere: Labels of the steps that do not run.
        executed: Labels of the steps that ran.
        outputs: Outputs of the steps, such as `run.promoted`.
    """

    checkout: Path
    files: Path
    values: Mapping[str, str]
    variables: Mapping[str, str]
    elsewhere: Collection[str]
    executed: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)

    def run(self, workflow: Workflow, name: str) -> Mapping[str, str]:
        """Run the steps of a job, and return its outputs.

        Raises:
            AssertionError: A step failed, or the job's condition does not hold.
        """
        job = workflow.jobs[name]
        assert holds(job.condition, self.values), job.condition
        for command in ("output", "path", "summary"):
            (self.files / command).touch()
        for step in job.steps:
            if step.run and step.label not in self.elsewhere:
                environment = self._environment(workflow, job, step.fields.get("env", {}))
                self._run_step(step.label, step.fields, job, environment)
        outputs = job.fields.get("outputs", {})
        return {name: expand(text, self._values) for name, text in outputs.items()}

    def _run_step(
        self, label: str, fields: Mapping[str, str], job: Job, environment: Mapping[str, str]
    ) -> None:
        if not holds(fields.get("if", ""), self._values):
            return
        defaults: Mapping[str, str] = job.fields.get("defaults", {}).get("run", {})
        process = subprocess.run(
            ["bash", "-e", "-c", expand(fields["run"], self._values)],
            cwd=self.checkout / defaults.get("working-directory", "."),
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, f"{label}\n{process.stdout}{process.stderr}"
        self.executed.append(label)
        self._read_outputs(fields.get("id", ""))

    def _read_outputs(self, step: str) -> None:
        for line in (self.files / "output").read_text().splitlines():
            name, _, value = line.partition("=")
            self.outputs[f"steps.{step}.outputs.{name}"] = value
        (self.files / "output").write_text("")

    def _environment(
        self, workflow: Workflow, job: Job, of_step: Mapping[str, str]
    ) -> Mapping[str, str]:
        layers = (workflow.fields.get("env", {}), job.fields.get("env", {}), of_step)
        own = {name: expand(text, self._values) for layer in layers for name, text in layer.items()}
        paths = [*(self.files / "path").read_text().split(), str(HOUSECTL.parent)]
        return {
            **clean_environment(),
            **own,
            **self.variables,
            "PATH": os.pathsep.join([*reversed(paths), os.environ["PATH"]]),
            "GITHUB_OUTPUT": str(self.files / "output"),
            "GITHUB_PATH": str(self.files / "path"),
            "GITHUB_STEP_SUMMARY": str(self.files / "summary"),
        }

    @property
    def _values(self) -> Mapping[str, str]:
        return {**self.values, **self.outputs}
