"""Progress of a waiting command: a live table on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from housectl.cli.console import LiveProgress, note, print_warning
from housectl.cli.formatting import ShareProgress, summary, warnings_of

if TYPE_CHECKING:
    from housectl import Experiment, ProgressReporter, SearchEstimate, Snapshot, Task

_FIRST_LINE_SECONDS = 2.0
_HEARTBEAT_SECONDS = 10.0


@contextmanager
def progress_reporter(complete: Callable[[str], str] = str) -> "Iterator[ProgressReporter]":
    """Yield the reporter that fits stderr; `complete` completes the hints of warnings."""
    if not sys.stderr.isatty():
        yield PlainProgress(complete)
        return
    live = LiveProgress(complete)
    try:
        yield live
    finally:
        live.close()


class PlainProgress:
    """Prints each failure and each warning at once, and the progress of longer work.

    The first line about the same work comes after two seconds, the next every ten seconds.
    """

    def __init__(self, complete: Callable[[str], str] = str) -> None:
        self._complete = complete
        self._share = ShareProgress()
        self._printed: set[str] = set()
        self._name = ""
        self._next_heartbeat = 0.0
        self._last_line = ""

    def on_experiment(self, experiment: "Experiment", snapshot: "Snapshot") -> None:
        """Report a snapshot of an experiment."""
        self._expect(experiment.name)
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
        self._expect(task.name)
        for warning in warnings_of(snapshot):
            self._print_once(f"{task.name}: {warning}")
        if self._heartbeat_due:
            line = last_log_line()
            pause = _HEARTBEAT_SECONDS if line else _FIRST_LINE_SECONDS
            self._print_heartbeat(f"{task.name}: {line or 'starting'}", pause=pause)

    def on_share(self, activity: str, share: float) -> None:
        """Report the finished share of an activity."""
        self._expect(activity)
        line = self._share.line(activity, share)
        if self._heartbeat_due:
            self._print_heartbeat(line)

    def on_estimate(self, estimate: "SearchEstimate") -> None:
        """Report the estimate of a search."""
        note(str(estimate))

    def on_warning(self, message: str, hint: str) -> None:
        """Report a problem that does not fail the operation."""
        print_warning(message, self._complete(hint))

    @property
    def _heartbeat_due(self) -> bool:
        return time.monotonic() >= self._next_heartbeat

    def _expect(self, name: str) -> None:
        """Schedule the first line about this experiment, task or activity."""
        if name != self._name:
            self._name = name
            self._next_heartbeat = time.monotonic() + _FIRST_LINE_SECONDS

    def _print_once(self, text: str) -> None:
        if text not in self._printed:
            self._printed.add(text)
            note(text)

    def _print_heartbeat(self, line: str, *, pause: float = _HEARTBEAT_SECONDS) -> None:
        self._next_heartbeat = time.monotonic() + pause
        if line != self._last_line:
            note(line)
            self._last_line = line
