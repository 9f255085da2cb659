"""What people see: the only module that imports Rich.

Results go to stdout, as a table or as one JSON object made of the same rows; all else to stderr.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from housectl.cli.formatting import format_value, summary, warnings_of
from housectl.errors import HousectlError
from housectl.experiment import Experiment, Trial, TrialState, rank_trials

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console, RenderableType
    from rich.live import Live

    from housectl.backends.base import Snapshot, Task

Row = Mapping[str, object]

# What a task says may have to be fetched from far away.
_LOG_REFRESH_SECONDS = 5.0
_RECENT_TRIALS = 8
# The assignment gets what is left of the terminal's width, and is cut there.
_WIDTHS = {"trial": 5, "family": 13, "mse": 8, "state": 9, "assignment": None}


@cache
def _errors() -> "Console":
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def on_terminal() -> bool:
    """Return whether a person may be looking at stderr."""
    return _errors().is_terminal


def note(text: str) -> None:
    """Say something on stderr."""
    _errors().print(text, markup=False)


def print_error(error: HousectlError, *, as_json: bool) -> None:
    """Show a failure, its hint, and where the documentation explains it."""
    if as_json:
        print_json(
            {
                "error": {
                    "status": int(error.status),
                    "reference": error.reference,
                    "message": error.message,
                    "hint": error.hint,
                }
            }
        )
        return
    console = _errors()
    console.print(f"[bold red]error:[/] {_escaped(error.message)}")
    console.print(f"[bold green]hint:[/]  {_escaped(error.hint)}")
    console.print(f"[dim]more:  docs/errors.md#{error.reference}[/]")


def print_text(text: str) -> None:
    """Print text on stdout."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_json(value: object) -> None:
    """Print one JSON object on stdout."""
    print_text(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def print_json_line(value: object) -> None:
    """Print one JSON object on a line of stdout."""
    print_text(json.dumps(value, default=str, ensure_ascii=False))


def print_fields(fields: Row) -> None:
    """Print a line for each field."""
    width = max(map(len, fields))
    for name, value in fields.items():
        print_text(f"{name.replace('_', ' '):{width}}  {format_value(value)}")


def print_table(rows: Sequence[Row]) -> None:
    """Print a table; its columns are the fields of the rows."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, value in rows[0].items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        table.add_column(name.replace("_", " "), justify="right" if number else "left")
    for row in rows:
        table.add_row(*(_escaped(format_value(value)) for value in row.values()))
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(table)
        return
    # Other programs get whole cells, and no padding behind the last.
    wide = Console(highlight=False, width=10_000)
    with wide.capture() as captured:
        wide.print(table)
    print_text("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


class LiveProgress:
    """Keeps the newest trials on the terminal, and below them what goes on now."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._listened = 0.0
        self._line = ""
        self._trials: RenderableType = ""

    def on_experiment(self, experiment: Experiment, snapshot: "Snapshot") -> None:
        """An experiment was looked at."""
        from rich.console import Group

        line = f"[bold]{experiment.name}[/]: {summary(experiment, snapshot)}"
        told = [_escaped(text) for text in warnings_of(snapshot)]
        self._trials = Group(_trial_table(snapshot.trials), line, *told)
        self._show(self._trials)

    def on_task(self, task: "Task", snapshot: "Snapshot", said: "Callable[[], str]") -> None:
        """A task was looked at."""
        from rich.console import Group

        if time.monotonic() - self._listened >= _LOG_REFRESH_SECONDS:
            self._listened = time.monotonic()
            self._line = said()
        told = [_escaped(text) for text in warnings_of(snapshot)]
        line = f"[bold]{task.name}[/]: {_escaped(self._line)}"
        self._show(Group(self._trials, line, *told))

    def close(self) -> None:
        """Leave the last table on the terminal."""
        if self._live is not None:
            self._live.stop()

    def _show(self, renderable: "RenderableType") -> None:
        from rich.live import Live

        if self._live is None:
            self._live = Live(console=_errors(), auto_refresh=False)
            self._live.start()
        self._live.update(renderable, refresh=True)


def _trial_table(trials: Sequence[Trial]) -> "RenderableType":
    from rich.table import Table

    best = {trial.number for _, trial in rank_trials(trials)[:1]}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, width in _WIDTHS.items():
        if name in {"trial", "mse"}:
            table.add_column(name, justify="right", no_wrap=True, min_width=width)
        else:
            table.add_column(name, no_wrap=True, min_width=width)
    newest = trials[-_RECENT_TRIALS:]
    shown = [trial for trial in trials if trial.number in best or trial in newest]
    for trial in shown:
        table.add_row(
            str(trial.number),
            trial.family,
            "" if trial.mse is None else f"{trial.mse:.4f}",
            _state(trial),
            _escaped(format_value(trial.assignment)),
            style="green" if trial.number in best else "",
        )
    return table


def _state(trial: Trial) -> str:
    """Return a trial's state; what a running one waits for is told below the table."""
    if trial.state is TrialState.FAILED and trial.cause:
        return _escaped(trial.cause)
    return f"{trial.state}, stuck" if trial.cause else trial.state
