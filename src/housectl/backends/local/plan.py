"""Plans for this machine: the trainer's own commands."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from housectl.backends import trainer_argv as command
from housectl.backends.base import Task, Workload
from housectl.backends.local.sampler import enqueued
from housectl.contract.families import Family
from housectl.contract.inputs import Inputs
from housectl.experiment import Experiment


@dataclass(frozen=True, kw_only=True)
class LocalPlan:
    """What the supervisor will do. `str()` is a shell script with the same commands."""

    workload: Workload
    inputs: Inputs
    image: None = None

    def __str__(self) -> str:
        lines = (
            [
                _shell(
                    task_arguments(
                        self.workload, inputs=str(self.inputs.path), output=self.workload.name
                    )
                )
            ]
            if isinstance(self.workload, Task)
            else _experiment_lines(self.workload, str(self.inputs.path))
        )
        return "\n".join(("#!/bin/sh", "set -eu", *lines, ""))


def pool_arguments(inputs: str) -> list[str]:
    """Return the arguments that make Python the trainer's pool."""
    return command.trainer_argv("pool", [("--inputs", inputs)])


def task_arguments(task: Task, *, inputs: str, output: str) -> list[str]:
    """Return the arguments that make Python do a task."""
    return command.task_argv(task, inputs=inputs, output=output, backend="local")


def _experiment_lines(experiment: Experiment, inputs: str) -> Iterator[str]:
    trials, workers = experiment.budget.trials, experiment.workers
    yield f"# {trials} trials, {workers} at a time, in forks of one process:"
    yield f"#   {_shell(pool_arguments(inputs))}"
    for number in range(experiment.budget.trials):
        assignment = enqueued(experiment, number)
        if assignment is not None:
            output = f"{experiment.name}/{number:04}"
            trial = _trial_arguments(inputs, experiment.family_of(number))
            yield _shell([*trial, "--output", output, *command.assignment_args(assignment)])
    yield "# Each of the others, with the values that the sampler chooses:"
    for family in experiment.families:
        yield _pattern(experiment, inputs, family)


def _pattern(experiment: Experiment, inputs: str, family: Family) -> str:
    space = experiment.spaces[family]
    chosen = [parameter.name for parameter in space.parameters]
    fixed = {name: value for name, value in space.fixed.items() if name not in chosen}
    return " ".join(
        (
            _shell(_trial_arguments(inputs, family)),
            f'--output {shlex.quote(experiment.name)}/"${{number}}"',
            *map(shlex.quote, command.assignment_args(fixed)),
            *(f'{name}="${{{name}}}"' for name in chosen),
        )
    )


def _trial_arguments(inputs: str, family: Family) -> list[str]:
    return command.trainer_argv("trial", [("--inputs", inputs), ("--family", family)])


def _shell(arguments: Sequence[str]) -> str:
    return shlex.join(("python", *arguments))
