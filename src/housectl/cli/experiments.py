"""Commands about experiments that there are: list, show, status, logs, stop, delete, prune."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from housectl.cli.arguments import Name, OptionalName
from housectl.cli.decorators import pass_pipeline
from housectl.cli.formatting import summary
from housectl.cli.results import Fields, Lines, Row, Table
from housectl.cli.settings import BACKEND_SETTINGS
from housectl.experiment import MODELS_TO_KEEP, Trial, TrialState, best_trial, rank_trials

if TYPE_CHECKING:
    from housectl.backends.base import Handle
    from housectl.pipeline import Pipeline

_PROBLEM_STATES = {"failed": TrialState.FAILED, "waiting": TrialState.RUNNING}


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (show, status, logs, stop, delete, prune):
        app.command()(command)
    app.command("list")(list_experiments)


@pass_pipeline(*BACKEND_SETTINGS)
def list_experiments(pipeline: "Pipeline", /) -> Table:
    """List the experiments, the newest first.

    Example: housectl list
    """
    return Table(
        key="experiments",
        rows=[_overview(pipeline, handle) for handle in pipeline.backend.handles()],
        empty="There is no experiment yet: housectl tune",
    )


@pass_pipeline(*BACKEND_SETTINGS)
def show(pipeline: "Pipeline", /, name: OptionalName = None) -> Table:
    """Show an experiment with all its trials.

    Example: housectl show --json
    """
    handle = _handle(pipeline, name)
    return Table(
        key="trials",
        rows=[_trial_row(trial) for trial in pipeline.backend.observe(handle).trials],
        empty="No trial has started.",
        heading=_overview(pipeline, handle),
    )


@pass_pipeline(*BACKEND_SETTINGS)
def status(pipeline: "Pipeline", /, name: OptionalName = None) -> Fields:
    """Say where an experiment stands, and why.

    Example: housectl status
    """
    from housectl.search import experiment_of

    handle = _handle(pipeline, name)
    snapshot = pipeline.backend.observe(handle)
    troubled = [trial for trial in snapshot.trials if trial.cause]
    return Fields(
        fields={
            "experiment": handle.name,
            "handle": str(handle),
            "state": snapshot.state,
            "reason": snapshot.reason,
            "warnings": list(snapshot.warnings),
            "progress": summary(experiment_of(pipeline.backend, handle), snapshot),
            **{
                state: {each.name: each.cause for each in troubled if each.state is trial_state}
                for state, trial_state in _PROBLEM_STATES.items()
            },
        }
    )


@pass_pipeline(*BACKEND_SETTINGS)
def logs(
    pipeline: "Pipeline",
    /,
    name: OptionalName = None,
    *,
    trial: Annotated[
        str | None,
        typer.Option("--trial", help="The trial's name or number; the best one by default."),
    ] = None,
) -> Lines:
    """Print what the trainer said in a trial, or in a task.

    Example: housectl logs --trial 7
    """
    handle = _handle(pipeline, name)
    trials = pipeline.backend.observe(handle).trials
    best = best_trial(trials)
    names = {str(known.number): known.name for known in trials}
    chosen = names.get(trial, trial) if trial else (best.name if best else None)
    lines = pipeline.backend.logs(handle, chosen)
    return Lines(lines=({"trial": chosen, "line": line} for line in lines), text="line")


@pass_pipeline(*BACKEND_SETTINGS)
def stop(pipeline: "Pipeline", /, name: Name) -> Fields:
    """End an experiment; finished trials stay usable.

    Example: housectl stop boston-20261124-093000
    """
    from housectl.errors import UnknownExperimentError

    handle = pipeline.backend.handle(name)
    pipeline.backend.stop(handle)
    try:
        overview = _overview(pipeline, handle)
    except UnknownExperimentError:
        return Fields(
            fields={"experiment": handle.name, "state": "deleted"},
            notes=["Nothing of it had ended, so nothing is left of it."],
        )
    usable = overview["mse"] is not None
    return Fields(
        fields=overview,
        notes=[f"To use what it has: housectl promote {handle.name}"] if usable else [],
    )


@pass_pipeline(*BACKEND_SETTINGS)
def delete(pipeline: "Pipeline", /, name: Name) -> Fields:
    """Forget an experiment with its files.

    It is stopped first. Models that were sealed stay.

    Example: housectl delete boston-20261124-093000
    """
    handle = pipeline.backend.handle(name)
    pipeline.backend.delete(handle)
    return Fields(fields={"deleted": handle.name})


@pass_pipeline(*BACKEND_SETTINGS)
def prune(
    pipeline: "Pipeline",
    /,
    name: Name,
    *,
    keep_best: Annotated[
        int, typer.Option("--keep-best", min=1, help="How many trials keep their files.")
    ] = MODELS_TO_KEEP,
) -> Fields:
    """Free the files of all but the best trials.

    Their objectives stay.

    Example: housectl prune boston-20261124-093000 --keep-best 1
    """
    handle = pipeline.backend.handle(name)
    trials = pipeline.backend.observe(handle).trials
    kept = [trial.name for _, trial in rank_trials(trials)[:keep_best]]
    ended = [trial.name for trial in trials if trial.state is not TrialState.RUNNING]
    freed = [trial for trial in ended if trial not in kept]
    pipeline.backend.delete_outputs(handle, freed)
    return Fields(fields={"experiment": handle.name, "kept": kept, "freed": freed})


def _handle(pipeline: "Pipeline", name: str | None) -> "Handle":
    from housectl.errors import UnknownExperimentError

    if name is not None:
        return pipeline.backend.handle(name)
    handles = pipeline.backend.handles()
    if not handles:
        raise UnknownExperimentError("There is no experiment yet.", hint="housectl tune")
    return handles[0]


def _overview(pipeline: "Pipeline", handle: "Handle") -> Row:
    snapshot = pipeline.backend.observe(handle)
    best = best_trial(snapshot.trials)
    challenger = pipeline.store.challenger(handle.name)
    started = snapshot.started
    return {
        "experiment": handle.name,
        "state": snapshot.state,
        "trials": len(snapshot.trials),
        "failed": sum(trial.state is TrialState.FAILED for trial in snapshot.trials),
        "mse": best.mse if best else None,
        "challenger": challenger.bundle[:12] if challenger else None,
        "started": started and datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
    }


def _trial_row(trial: Trial) -> Row:
    seconds = (trial.finished or 0) - trial.started if trial.started and trial.finished else None
    return {
        "trial": trial.name,
        "family": trial.family,
        "mse": trial.mse,
        "state": trial.state,
        "cause": trial.cause,
        "seconds": seconds,
        "assignment": trial.assignment,
    }
