"""What every backend says and refuses in the same words."""

from collections.abc import Iterable, Sequence

from housectl.errors import AlreadyExistsError, UnknownExperimentError, UsageError
from housectl.experiment import Budget, Trial

STOPPED = "It was stopped."


def time_limit_reached(trials: int, budget: Budget) -> str:
    """Return why a search ended after so many trials, fewer than it was to have."""
    return f"Its time was used up after {trials} of {budget.trials} trials."


def already_exists(name: str) -> AlreadyExistsError:
    """Return the error for the name of an experiment that there is already."""
    return AlreadyExistsError(
        f"{name} exists already.",
        hint=f"housectl tune --resume {name}   # or: housectl delete {name}",
    )


def unknown_experiment(name: str) -> UnknownExperimentError:
    """Return the error for a name that no experiment and no task has."""
    return UnknownExperimentError(
        f"There is no experiment {name}.", hint="housectl list   # lists them"
    )


def trials_named(names: Sequence[str], trials: Iterable[Trial], *, experiment: str) -> list[Trial]:
    """Return trials of an experiment by their names.

    Raises:
        UsageError: It has none with one of the names.
    """
    known = {trial.name: trial for trial in trials}
    for name in names:
        if name not in known:
            raise UsageError(
                f"{experiment} has no trial {name}.",
                hint=f"housectl show {experiment}   # lists them",
            )
    return [known[name] for name in names]
