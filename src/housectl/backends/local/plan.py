"""Plans for this machine: the trainer's own commands."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from housectl.backends.base import Task, Workload
from housectl.backends.trainer_argv import assignment_args, task_argv, trainer_argv
from housectl.contract.families import Family
from housectl.contract.parameters import Assignment
from housectl.experiment import Experiment
from housectl.search.sampler import enqueued_assignment


@dataclass(frozen=True, kw_only=True)
class LocalPlan:
    """The plan of a run. Its `str()` is a shell script with the supervisor's commands.

    Attributes:
        inputs: The inputs directory.
        python: Path of the Python that runs the trainer; None for housectl's own.
    """

    workload: Workload
    inputs: Path
    python: str | None = None
    image: None = None

    def __str__(self) -> str:
        lines = (
            [
                _shell_command(
                    task_arguments(
                        self.workload, inputs=str(self.inputs), output=self.workload.name
                    ),
                    python=self.python,
                )
            ]
            if isinstance(self.workload, Task)
            else _experiment_lines(self.workload, str(self.inputs))
        )
        return "\n".join(("#!/bin/sh", "set -eu", "unset PYTHONPATH", *lines, ""))


def pool_arguments(inputs: str) -> list[str]:
    """Return the arguments that make Python run the trainer's pool."""
    return trainer_argv("pool", [("--inputs", inputs)])


def task_arguments(task: Task, *, inputs: str, output: str) -> list[str]:
    """Return the arguments that make Python run a task."""
    return task_argv(task, inputs=inputs, output=output, backend="local")


def _experiment_lines(experiment: Experiment, inputs: str) -> Iterator[str]:
    trials, workers = experiment.budget.trials, experiment.workers
    yield f"# {trials} trials, {workers} at a time, in forks of one process:"
    yield f"#   {_shell_command(pool_arguments(inputs))}"
    if _rival_argument(experiment, trials - 1):
        yield "# A trial ends early if it can hardly beat its rival: the best of the trials that"
        yield f"# are earlier by at least {experiment.lag}."
    for number, assignment in _enqueued_trials(experiment):
        output = f"{experiment.name}/{number:04}"
        trial = _trial_arguments(inputs, experiment.family_at_turn(number))
        command = _shell_command([*trial, "--output", output, *assignment_args(assignment)])
        yield f"{command}{_rival_argument(experiment, number)}"
    yield "# Each of the other trials, with values from the sampler:"
    for family in experiment.families_in_turn:
        yield _trial_template(experiment, inputs, family)


def _enqueued_trials(experiment: Experiment) -> Iterator[tuple[int, Assignment]]:
    """Yield the trials with enqueued assignments, which are among the first ones."""
    count = sum(len(space.enqueued) for space in experiment.spaces.values())
    trials = (
        (number, assignment)
        for number in range(experiment.budget.trials)
        if (assignment := enqueued_assignment(experiment, number)) is not None
    )
    return islice(trials, count)


def _trial_template(experiment: Experiment, inputs: str, family: Family) -> str:
    space = experiment.spaces[family]
    sampled = [parameter.name for parameter in space.parameters]
    fixed = {name: value for name, value in space.fixed.items() if name not in sampled}
    return " ".join(
        (
            _shell_command(_trial_arguments(inputs, family)),
            f'--output {shlex.quote(experiment.name)}/"${{number}}"',
            *map(shlex.quote, assignment_args(fixed)),
            *(f'{name}="${{{name}}}"' for name in sampled),
        )
    ) + _rival_argument(experiment, experiment.budget.trials - 1)


def _rival_argument(experiment: Experiment, number: int) -> str:
    """Return the argument with the name of the rival, which the first trials do not have."""
    return ' --rival "${rival}"' if experiment.prune and number >= experiment.lag else ""


def _trial_arguments(inputs: str, family: Family) -> list[str]:
    return trainer_argv("trial", [("--inputs", inputs), ("--family", family)])


def _shell_command(arguments: Sequence[str], *, python: str | None = None) -> str:
    return shlex.join((python or "python", *arguments))
