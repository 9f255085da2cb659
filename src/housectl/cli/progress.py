"""Progress of a waiting command: a live table on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from housectl.cli.console import LiveProgress, note
from housectl.cli.formatting import summary, warnings_of

if TYPE_CHECKING:
    from housectl import Experiment, ProgressReporter, Snapshot, Task

_HEARTBEAT_SECONDS = 10.0


@contextmanager
def progress_reporter() -> "Iterator[ProgressReporter]":
    """Yield the reporter that fits stderr."""
    if not sys.stderr.isatty():
        yield PlainProgress()
        return
    live = LiveProgress()
    try:
        yield live
    finally:
        live.close()


class PlainProgress:
    """Prints each failure and each warning at once, and a summary every ten seconds."""

    def __init__(self) -> None:
        self._printed: set[str] = set()
        self._last_heartbeat = time.monotonic()
        self._last_line = ""

    def on_experiment(self, experiment: "Experiment", snapshot: "Snapshot") -> None:
        """Report a snapshot of an experiment."""
        for trial in snapshot.failed_trials:
            self._print_once(f"{experiment.name}: trial {trial.number} failed: {trial.cause}")
        for warning in warnings_of(snapshot):
            self._print_once(f"{experiment.name}: {warning}")
        line = f"{experiment.name}: {summary(experiment, snapshot)}"
        if snapshot.state.ended:
            note(line)
        elif self._heartbeat_due:
            self._print_heartbeat(line)

    def on_task(self, task: "Task", snapshot: "Snapshot", last_log_line: Callable[[], str]) -> None:
        """Report a snapshot of a task."""
        for warning in warnings_of(snapshot):
            self._print_once(f"{task.name}: {warning}")
        if self._heartbeat_due:
            line = last_log_line()
            self._print_heartbeat(f"{task.name}: {line}" if line else self._last_line)

    @property
    def _heartbeat_due(self) -> bool:
        return time.monotonic() - self._last_heartbeat >= _HEARTBEAT_SECONDS

    def _print_once(self, text: str) -> None:
        if text not in self._printed:
            self._printed.add(text)
            note(text)

    def _print_heartbeat(self, line: str) -> None:
        self._last_heartbeat = time.monotonic()
        if line != self._last_line:
            note(line)
            self._last_line = line
