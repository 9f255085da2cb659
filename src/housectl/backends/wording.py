"""What every backend says in the same words."""

from housectl.errors import NameTakenError, UnknownExperimentError, UsageError
from housectl.experiment import Budget

STOPPED = "It was stopped."


def time_used_up(trials: int, budget: Budget) -> str:
    """Return why a search ended after so many trials, fewer than it was to have."""
    return f"Its time was used up after {trials} of {budget.trials} trials."


def name_taken(name: str) -> NameTakenError:
    """Return the error for the name of an experiment that there is already."""
    return NameTakenError(
        f"{name} exists already.",
        hint=f"housectl tune --resume {name}   # or: housectl delete {name}",
    )


def unknown(name: str) -> UnknownExperimentError:
    """Return the error for a name that no experiment and no task has."""
    return UnknownExperimentError(
        f"There is no experiment {name}.", hint="housectl list   # lists them"
    )


def no_trial(name: str, trial: str) -> UsageError:
    """Return the error for a trial that the experiment does not have."""
    return UsageError(f"{name} has no trial {trial}.", hint=f"housectl show {name}   # lists them")
