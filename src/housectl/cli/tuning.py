"""Commands that search: render, tune."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from housectl.cli.console import note
from housectl.cli.decorators import pass_pipeline
from housectl.cli.results import Document, Fields
from housectl.cli.settings import SEARCH_SETTINGS

if TYPE_CHECKING:
    from housectl.backends.base import Handle
    from housectl.pipeline import Pipeline

NewName = Annotated[
    str | None, typer.Option("--name", help="Name of the experiment; by default made of the time.")
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (render, tune):
        app.command()(command)


@pass_pipeline(*SEARCH_SETTINGS)
def render(pipeline: "Pipeline", /, *, name: NewName = None) -> Document:
    """Print exactly what tune would send, and send nothing.

    Example: housectl render --trials 50
    """
    plan = pipeline.plan(_new_name(pipeline) if name is None else name)
    return Document(text=str(plan), fields={"experiment": plan.workload.name})


@pass_pipeline(*SEARCH_SETTINGS)
def tune(
    pipeline: "Pipeline",
    /,
    *,
    name: NewName = None,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="NAME", help="Go on with this experiment.")
    ] = None,
) -> Fields:
    """Search for the best model, and seal it as the challenger.

    Ctrl-C leaves the search running, and says how to come back.

    Example: housectl tune --trials 50 --family auto
    """
    chosen = resume or (_new_name(pipeline) if name is None else name)
    with _hint_on_interrupt(pipeline, chosen):
        handle = _resumed(pipeline, chosen) if resume else _submitted(pipeline, chosen)
        challenger = pipeline.tune(handle)
    bundle = pipeline.store.bundle(challenger.bundle)
    recipe = bundle.record.recipe
    return Fields(
        fields={
            "experiment": challenger.experiment,
            "trial": bundle.record.provenance.trial,
            "family": recipe.family,
            "assignment": recipe.assignment,
            "mse": bundle.metrics.mse,
            "holdout_mse": bundle.holdout_mse,
            "challenger": bundle.digest,
        },
        notes=["Next: housectl promote"],
    )


def _new_name(pipeline: "Pipeline") -> str:
    return pipeline.project.default_experiment_name(datetime.now(UTC))


def _submitted(pipeline: "Pipeline", name: str) -> "Handle":
    handle = pipeline.submit(name)
    note(f"{handle.name} runs; Ctrl-C leaves it running.")
    return handle


def _resumed(pipeline: "Pipeline", name: str) -> "Handle":
    handle = pipeline.backend.handle(name)
    if str(pipeline.backend.get_plan(handle)) != str(pipeline.plan(handle.name)):
        note(f"{handle.name} goes on as it was planned; housectl.yaml says otherwise today.")
    pipeline.backend.resume(handle)
    return handle


@contextmanager
def _hint_on_interrupt(pipeline: "Pipeline", name: str) -> Iterator[None]:
    """Say how to come back when Ctrl-C leaves an experiment that was submitted."""
    try:
        yield
    except KeyboardInterrupt:
        if _probably_exists(pipeline, name):
            note(
                f"\n{name} goes on without you. To come back: housectl tune --resume {name}   "
                f"To end it: housectl stop {name}"
            )
        raise


def _probably_exists(pipeline: "Pipeline", name: str) -> bool:
    from housectl.errors import ClusterError, UnknownExperimentError

    try:
        pipeline.backend.handle(name)
    except UnknownExperimentError:
        return False
    except ClusterError:
        # Nobody can say just now.
        return True
    return True
