"""Commands about submitted experiments: list, show, status, logs, stop, delete and prune."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from housectl import MODELS_TO_KEEP, TrialState
from housectl.cli.arguments import Name, OptionalName
from housectl.cli.decorators import pass_project
from housectl.cli.formatting import counts_line, error_row, summary
from housectl.cli.results import Fields, Lines, Row, Table
from housectl.cli.settings import BACKEND_SETTINGS

if TYPE_CHECKING:
    from housectl import Evidence, Overview, Project, Snapshot, SubmittedExperiment, Trial

_PROBLEM_STATES = {"failed": TrialState.FAILED, "waiting": TrialState.RUNNING}
_MAX_CAUSES = 50


@pass_project(*BACKEND_SETTINGS)
def list_experiments(project: "Project", /) -> Table:
    """List the experiments, the newest first.

    Example: housectl list
    """
    rows = [_overview_row(run, overview) for run, overview in project.overviews()]
    return Table(
        key="experiments",
        rows=rows,
        empty="There is no experiment yet.",
        notes=[] if rows else ["Next: housectl tune"],
    )


@pass_project(*BACKEND_SETTINGS)
def show(project: "Project", /, name: OptionalName = None) -> Table:
    """Show an experiment with all its trials.

    Example: housectl show --json
    """
    run = project.experiment(name)
    snapshot = run.observe()
    return Table(
        key="trials",
        rows=[_trial_row(trial) for trial in snapshot.trials],
        empty="No trial has started.",
        heading=_overview_row(run, snapshot.overview),
    )


@pass_project(*BACKEND_SETTINGS)
def status(project: "Project", /, name: OptionalName = None) -> Fields:
    """Show the state of an experiment, and the causes of failed and waiting trials.

    Example: housectl status
    """
    run = project.experiment(name)
    overview = run.settled()
    fields = _snapshot_fields(run) if overview is None else _settled_fields(run, overview)
    return Fields(fields={"experiment": run.name, "handle": run.url, **fields})


@pass_project(*BACKEND_SETTINGS)
def logs(
    project: "Project",
    /,
    name: OptionalName = None,
    *,
    trial: Annotated[
        str | None,
        typer.Option("--trial", help="The trial's name or number; by default the best trial."),
    ] = None,
) -> Lines:
    """Print the trainer's output of a trial or a task.

    Example: housectl logs --trial 7
    """
    log = project.experiment(name).logs(trial)
    return Lines(lines=({"trial": log.trial, "line": line} for line in log.lines), text="line")


@pass_project(*BACKEND_SETTINGS)
def stop(project: "Project", /, name: Name) -> Fields:
    """Stop an experiment; finished trials stay usable.

    Example: housectl stop boston-20261124-093000
    """
    run = project.experiment(name)
    snapshot = run.stop()
    if snapshot is None:
        return Fields(
            fields={"experiment": run.name, "state": "deleted"},
            notes=["No trial had finished, so the experiment was deleted."],
        )
    usable = snapshot.best_trial is not None
    return Fields(
        fields=_overview_row(run, snapshot.overview),
        notes=[f"To use its best trial: housectl promote {run.name}"] if usable else [],
    )


@pass_project(*BACKEND_SETTINGS)
def delete(project: "Project", /, name: Name) -> Fields:
    """Stop an experiment and delete its files.

    Sealed models are kept.

    Example: housectl delete boston-20261124-093000
    """
    run = project.experiment(name)
    run.delete()
    return Fields(fields={"deleted": run.name})


@pass_project(*BACKEND_SETTINGS)
def prune(
    project: "Project",
    /,
    name: Name,
    *,
    keep_best: Annotated[
        int, typer.Option("--keep-best", min=1, help="Number of trials that keep their files.")
    ] = MODELS_TO_KEEP,
) -> Fields:
    """Delete the files of all finished trials but the best.

    Their objectives are kept.

    Example: housectl prune boston-20261124-093000 --keep-best 1
    """
    run = project.experiment(name)
    pruned = run.prune(keep_best=keep_best)
    return Fields(fields={"experiment": run.name, "kept": [*pruned.kept], "freed": [*pruned.freed]})


def _snapshot_fields(run: "SubmittedExperiment") -> Row:
    snapshot = run.observe()
    return {
        "state": snapshot.state,
        "reason": snapshot.reason,
        "warnings": list(snapshot.warnings),
        "progress": summary(run.settings, snapshot),
        **_error_fields(run.challenger_evidence),
        **{problem: _causes(snapshot, state) for problem, state in _PROBLEM_STATES.items()},
    }


def _settled_fields(run: "SubmittedExperiment", overview: "Overview") -> Row:
    """Return the fields of a search whose trials all succeeded, so that none has a cause."""
    return {
        "state": overview.state,
        "reason": None,
        "warnings": [],
        "progress": counts_line(run.settings, overview),
        **_error_fields(run.challenger_evidence),
        **{problem: {} for problem in _PROBLEM_STATES},
    }


def _causes(snapshot: "Snapshot", state: TrialState) -> dict[str, str]:
    """Return the causes of the newest trials in a state, by their names."""
    causes = {
        trial.name: trial.cause for trial in snapshot.trials if trial.cause and trial.state is state
    }
    return dict(list(causes.items())[-_MAX_CAUSES:])


def _error_fields(evidence: "Evidence | None") -> Row:
    """Return the challenger's errors on the held-out rows, and the mean's for comparison."""
    return {
        "challenger_errors": error_row(evidence.model_errors) if evidence else None,
        "mean_errors": error_row(evidence.holdout_errors(evidence.mean)) if evidence else None,
    }


def _overview_row(run: "SubmittedExperiment", overview: "Overview") -> Row:
    digest = run.challenger_digest
    started = overview.started
    return {
        "experiment": run.name,
        "state": overview.state,
        "trials": overview.trials,
        "pruned": overview.pruned,
        "failed": overview.failed,
        "mse": overview.mse,
        "challenger": digest[:12] if digest else None,
        "started": started and datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
    }


def _trial_row(trial: "Trial") -> Row:
    return {
        "trial": trial.name,
        "family": trial.family,
        "mse": trial.mse,
        "state": trial.state,
        "pruned_after": trial.pruned_after,
        "cause": trial.cause,
        "seconds": trial.seconds,
        "assignment": trial.assignment,
    }
