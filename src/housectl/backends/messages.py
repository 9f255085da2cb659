"""Messages and errors that all backends share."""

from collections.abc import Iterable, Sequence

from housectl.errors import AlreadyExistsError, UnknownExperimentError, UsageError
from housectl.experiment import Budget, Trial

STOPPED = "Stopped on request."


def time_limit_reason(trials: int, budget: Budget) -> str:
    """Return the reason of a search that ended before it had all of its trials."""
    return f"Time limit reached after {trials} of {budget.trials} trials."


def already_exists_error(name: str) -> AlreadyExistsError:
    """Return the error for a name that an experiment or task already has."""
    return AlreadyExistsError(
        f"The name {name} is already in use.",
        hint=f"housectl tune --resume {name}   # or: housectl delete {name}",
    )


def files_left_error(name: str) -> AlreadyExistsError:
    """Return the error for a name whose earlier experiment still has files."""
    return AlreadyExistsError(
        f"The name {name} is already in use: its earlier experiment is not completely deleted.",
        hint=f"housectl delete {name}",
    )


def incompletely_deleted_error(name: str) -> UnknownExperimentError:
    """Return the error for an experiment of which only files or objects in deletion are left."""
    return UnknownExperimentError(
        f"Experiment {name} was deleted, but not completely.", hint=f"housectl delete {name}"
    )


def unknown_experiment_error(name: str) -> UnknownExperimentError:
    """Return the error for a name that no experiment or task has."""
    return UnknownExperimentError(
        f"Experiment {name} does not exist.", hint="housectl list   # lists all"
    )


def select_trials(names: Sequence[str], trials: Iterable[Trial], *, experiment: str) -> list[Trial]:
    """Return trials of an experiment by their names.

    Raises:
        UsageError: The experiment has no trial with one of the names.
    """
    trials_by_name = {trial.name: trial for trial in trials}
    for name in names:
        if name not in trials_by_name:
            raise UsageError(
                f"{experiment} has no trial {name}.",
                hint=f"housectl show {experiment}   # lists all",
            )
    return [trials_by_name[name] for name in names]
