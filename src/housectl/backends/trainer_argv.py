"""The arguments of `python` that run the trainer, on every backend."""

from collections.abc import Sequence

from housectl.backends.base import Task
from housectl.contract.golden import GoldenSource
from housectl.contract.parameters import Assignment
from housectl.python_process import module_argv

_TRAINER_MODULE = "housectl_trainer"

# Flags with their values, in order. A flag may occur several times; None leaves it out.
Options = Sequence[tuple[str, str | None]]


def trainer_argv(command: str, options: Options, assignment: Assignment | None = None) -> list[str]:
    """Return the arguments that make Python run one of the trainer's commands."""
    flags = [text for name, value in options if value for text in (name, str(value))]
    return module_argv(_TRAINER_MODULE, str(command), *flags, *assignment_args(assignment or {}))


def task_argv(
    task: Task,
    *,
    inputs: str,
    output: str,
    backend: str,
    image: str | None = None,
    termination_report: str | None = None,
) -> list[str]:
    """Return the arguments that make Python run a task.

    Args:
        task: The task.
        inputs: The inputs directory, as the trainer sees it.
        output: The directory that the trainer creates.
        backend: Name of the backend, for provenance.
        image: Image of the container, for provenance.
        termination_report: File that the trainer updates every second.
    """
    options = (
        ("--inputs", inputs),
        ("--output", output),
        ("--family", task.family),
        ("--termination-report", termination_report),
        ("--model-sha256", task.model_sha256),
        ("--experiment", task.experiment),
        ("--trial", task.trial),
        ("--commit", task.commit),
        # Images of earlier versions, which running searches keep, do not know this flag.
        ("--golden", None if task.golden is GoldenSource.DATA else task.golden),
        ("--backend", backend),
        ("--image", image),
    )
    return trainer_argv(task.kind, options, task.assignment)


def assignment_args(assignment: Assignment) -> list[str]:
    """Return an assignment as arguments of the trainer."""
    return [f"{name}={value}" for name, value in sorted(assignment.items())]
