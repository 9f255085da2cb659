"""Values, durations and progress as text. Pure."""

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from housectl import TrialState

if TYPE_CHECKING:
    from housectl import Experiment, HoldoutErrors, Overview, Snapshot


def format_value(value: object) -> str:
    """Return a cell's value as text."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, Mapping):
        return " ".join(f"{name}={format_value(item)}" for name, item in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(format_value(item) or '""' for item in value) or "-"
    return str(value)


def error_row(errors: "HoldoutErrors") -> dict[str, float | None]:
    """Return the errors on the held-out rows by name."""
    return {"mse": errors.mse, "rmse": errors.rmse, "mae": errors.mae, "r2": errors.r2}


def format_duration(seconds: float) -> str:
    """Return a duration as text, such as `2 min 05 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def summary(experiment: "Experiment", snapshot: "Snapshot") -> str:
    """Return the progress of an experiment in one line."""
    line = counts_line(experiment, snapshot.overview)
    if snapshot.state.ended:
        return line
    left = experiment.estimate_remaining_seconds(snapshot.trials, now=time.time())
    return line if left is None else f"{line}, about {format_duration(left)} left"


def counts_line(experiment: "Experiment", overview: "Overview") -> str:
    """Return the counts of an experiment's trials, and the lowest objective, in one line."""
    running = overview.running
    clauses = [f"{overview.trials - running}/{experiment.budget.trials} trials"]
    counts = {TrialState.PRUNED: overview.pruned, TrialState.FAILED: overview.failed}
    clauses.extend(f"{count} {state}" for state, count in counts.items() if count)
    if overview.mse is not None:
        number = overview.best_number
        name = "" if number is None else f" (trial {number})"
        clauses.append(f"best mse={format_value(overview.mse)}{name}")
    if running:
        clauses.append(f"{running} running")
    return ", ".join(clauses)


class ShareProgress:
    """The finished share of an activity, and its remaining time."""

    def __init__(self) -> None:
        self._activity = ""
        self._started = 0.0

    def line(self, activity: str, share: float) -> str:
        """Return a line such as `registry sync: 25%, about 6 s left`."""
        now = time.monotonic()
        if activity != self._activity:
            self._activity, self._started = activity, now
        if not share:
            return f"{activity}: 0%"
        left = (now - self._started) / share * (1 - share)
        return f"{activity}: {share:.0%}, about {format_duration(left)} left"


def warnings_of(snapshot: "Snapshot") -> Iterator[str]:
    """Yield the causes of waiting, for the experiment and each trial; at its end the warnings."""
    if snapshot.state.ended:
        yield from snapshot.warnings
        return
    if snapshot.reason:
        yield snapshot.reason
    for trial in snapshot.trials:
        if trial.state is TrialState.RUNNING and trial.cause:
            yield f"trial {trial.number} is waiting: {trial.cause}"
