"""How values, durations and searches are told in words. Pure."""

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from housectl.experiment import Experiment, TrialState, estimate_remaining_seconds, rank_trials

if TYPE_CHECKING:
    from housectl.backends.base import Snapshot


def format_value(value: object) -> str:
    """Return a value of a row for people."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, Mapping):
        return " ".join(f"{name}={format_value(item)}" for name, item in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(map(format_value, value)) or "-"
    return str(value)


def format_duration(seconds: float) -> str:
    """Return a duration for people."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def summary(experiment: Experiment, snapshot: "Snapshot") -> str:
    """Return where a search stands, in one line."""
    trials = snapshot.trials
    ended = sum(trial.state is not TrialState.RUNNING for trial in trials)
    parts = [f"{ended}/{experiment.budget.trials} trials"]
    if best := rank_trials(trials)[:1]:
        parts.append(f"best mse={best[0][0]:.4f} (trial {best[0][1].number})")
    if running := len(trials) - ended:
        parts.append(f"{running} running")
    left = estimate_remaining_seconds(experiment, trials, time.time())
    if left is not None and not snapshot.state.ended:
        parts.append(f"about {format_duration(left)} left")
    return ", ".join(parts)


def warnings_of(snapshot: "Snapshot") -> Iterator[str]:
    """Yield what a search waits for, as a whole and trial by trial; or what to know at its end."""
    if snapshot.state.ended:
        yield from snapshot.warnings
        return
    if snapshot.reason:
        yield snapshot.reason
    for trial in snapshot.trials:
        if trial.state is TrialState.RUNNING and trial.cause:
            yield f"trial {trial.number} waits: {trial.cause}"
