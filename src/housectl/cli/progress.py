"""What is told while a command waits: a live table on a terminal, else plain lines."""

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from housectl.cli.console import LiveProgress, note, on_terminal
from housectl.cli.formatting import summary, warnings_of
from housectl.experiment import Experiment, failed_trials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from housectl.backends.base import Snapshot, Task
    from housectl.search import ProgressReporter

_QUIET_SECONDS = 10.0


@contextmanager
def progress_reporter() -> "Iterator[ProgressReporter]":
    """Yield what tells of progress: a live table on a terminal, else plain lines on stderr."""
    if not on_terminal():
        yield PlainProgress()
        return
    watcher = LiveProgress()
    try:
        yield watcher
    finally:
        watcher.close()


class PlainProgress:
    """Tells of each failure and each trouble at once, and of the rest every ten seconds."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._spoke = time.monotonic()
        self._line = ""

    def on_experiment(self, experiment: Experiment, snapshot: "Snapshot") -> None:
        """An experiment was looked at."""
        for trial in failed_trials(snapshot.trials):
            self._tell_once(f"{experiment.name}: trial {trial.number} failed: {trial.cause}")
        for trouble in warnings_of(snapshot):
            self._tell_once(f"{experiment.name}: {trouble}")
        line = f"{experiment.name}: {summary(experiment, snapshot)}"
        if snapshot.state.ended:
            note(line)
        elif self._heartbeat_due:
            self._say(line)

    def on_task(self, task: "Task", snapshot: "Snapshot", said: "Callable[[], str]") -> None:
        """A task was looked at."""
        for trouble in warnings_of(snapshot):
            self._tell_once(f"{task.name}: {trouble}")
        if self._heartbeat_due:
            line = said()
            self._say(f"{task.name}: {line}" if line else self._line)

    @property
    def _heartbeat_due(self) -> bool:
        return time.monotonic() - self._spoke >= _QUIET_SECONDS

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            note(text)

    def _say(self, line: str) -> None:
        self._spoke = time.monotonic()
        if line != self._line:
            note(line)
            self._line = line
