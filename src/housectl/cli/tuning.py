"""Commands that search: render and tune."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from housectl import errors
from housectl.cli.console import note
from housectl.cli.decorators import pass_project
from housectl.cli.formatting import format_duration
from housectl.cli.results import Document, Fields
from housectl.cli.settings import SEARCH_SETTINGS

if TYPE_CHECKING:
    from housectl import Project, SubmittedExperiment

NewName = Annotated[
    str | None,
    typer.Option("--name", help="Name of the experiment; by default a timestamped name."),
]


@pass_project(*SEARCH_SETTINGS)
def render(project: "Project", /, *, name: NewName = None) -> Document:
    """Print the plan that tune would submit, without submitting it.

    Example: housectl render --trials 50
    """
    plan = project.plan(name)
    return Document(text=str(plan), fields={"experiment": plan.workload.name})


@pass_project(*SEARCH_SETTINGS)
def tune(
    project: "Project",
    /,
    *,
    name: NewName = None,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="NAME", help="Resume this experiment.")
    ] = None,
) -> Fields:
    """Search for the best model, and seal it as the challenger.

    Ctrl-C detaches: the search continues, and the commands to reattach and to stop are printed.

    Example: housectl tune --trials 50 --family auto
    """
    chosen = resume or (project.new_experiment_name() if name is None else name)
    with _hint_on_interrupt(project, chosen):
        run = _resume(project, chosen) if resume else _submit(project, chosen)
        challenger = run.result()
    return Fields(
        fields={
            "experiment": run.name,
            "trial": challenger.trial,
            "family": challenger.family,
            "assignment": challenger.assignment,
            "mse": challenger.mse,
            "holdout_mse": challenger.holdout_mse,
            "challenger": challenger.digest,
        },
        notes=["Next: housectl promote"],
    )


def _submit(project: "Project", name: str) -> "SubmittedExperiment":
    note(f"Preparing {name}: about {format_duration(project.estimate_setup_seconds())}.")
    run = project.submit(name)
    note(f"{run.name} is running; Ctrl-C detaches from it.")
    return run


def _resume(project: "Project", name: str) -> "SubmittedExperiment":
    run = project.experiment(name)
    if not project.has_settings_of(run):
        note(
            f"Resuming {name} with its original settings; "
            "later changes to housectl.yaml are ignored."
        )
    run.resume()
    return run


@contextmanager
def _hint_on_interrupt(project: "Project", name: str) -> Iterator[None]:
    """Print the commands to reattach and to stop, if Ctrl-C leaves a running experiment."""
    try:
        yield
    except KeyboardInterrupt:
        if _probably_exists(project, name):
            note(
                f"\n{name} is still running. Reattach: housectl tune --resume {name}   "
                f"Stop: housectl stop {name}"
            )
        raise


def _probably_exists(project: "Project", name: str) -> bool:
    try:
        project.experiment(name)
    except errors.UnknownExperimentError:
        return False
    except errors.ClusterError:  # The cluster cannot answer at the moment.
        return True
    return True
