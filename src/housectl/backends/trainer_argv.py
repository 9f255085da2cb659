"""The trainer's command line: what follows `python`, on every backend."""

from collections.abc import Sequence

from housectl.backends.base import Task
from housectl.contract.parameters import Assignment

# In the order in which they are given; one may be there several times, and those without a value
# are left out.
Options = Sequence[tuple[str, str | None]]


def trainer_argv(command: str, options: Options, assignment: Assignment | None = None) -> list[str]:
    """Return the arguments that make Python do one of the trainer's commands."""
    given = [part for name, value in options if value for part in (name, str(value))]
    return ["-m", "housectl_trainer", str(command), *given, *assignment_args(assignment or {})]


def task_argv(
    task: Task,
    *,
    inputs: str,
    output: str,
    backend: str,
    image: str | None = None,
    termination_report: str | None = None,
) -> list[str]:
    """Return the arguments that make Python do a task.

    Args:
        task: What to do.
        inputs: The inputs directory, as the trainer sees it.
        output: The directory to make.
        backend: For provenance, like the image.
        image: The container's.
        last_words: File that gets its last words every second.
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
        ("--backend", backend),
        ("--image", image),
    )
    return trainer_argv(task.kind, options, task.assignment)


def assignment_args(assignment: Assignment) -> list[str]:
    """Return an assignment as the trainer reads it."""
    return [f"{name}={value}" for name, value in sorted(assignment.items())]
