"""Output to the terminal; the only module that imports Rich.

Results go to stdout, everything else to stderr. Text from users and data is shown as it is: without
markup, and with escape sequences for control characters.
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Literal

import housectl
from housectl import HousectlError, TrialState
from housectl.cli.formatting import ShareProgress, format_value, summary, warnings_of
from housectl.contract.terminal_text import printable, printable_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.text import Text

    from housectl import Experiment, SearchEstimate, Snapshot, Task, Trial

Row = Mapping[str, object]

# A task's log may have to be fetched from a cluster.
_LOG_REFRESH_SECONDS = 2.0
_RECENT_TRIALS = 8
_NO_VALUES: tuple[object, ...] = (None, "", [], {})
# The assignment gets the rest of the terminal's width, and is truncated there.
_WIDTHS = {"trial": 5, "family": 13, "mse": 8, "state": 9, "assignment": None}


@cache
def _stderr() -> "Console":
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def note(text: str) -> None:
    """Print lines on stderr."""
    print(printable_lines(text), file=sys.stderr, flush=True)


def print_error(error: HousectlError, *, as_json: bool) -> None:
    """Print an error with its hint and its section of the documentation."""
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
    more = f"housectl explain {error.reference}   # {housectl.error_url(error.reference)}"
    _print_message("error:", error.message, "bold red")
    _print_message("hint: ", error.hint, "bold green")
    _print_message("more: ", more, "dim")


def print_warning(message: str, hint: str) -> None:
    """Print a problem that does not fail the command, with its hint."""
    _print_message("warning:", message, "bold yellow")
    _print_message("hint:   ", hint, "bold green")


def _print_message(label: str, text: str, style: str) -> None:
    """Print a text on stderr; on a terminal, its label has a style."""
    if sys.stderr.isatty():
        _stderr().print(_text(label, style), _text(text))
    else:
        note(f"{label} {text}")


def print_line(line: str) -> None:
    """Print a line on stdout."""
    _write(printable(line))


def print_document(text: str) -> None:
    """Print a text on stdout; other programs get it unchanged."""
    _write(printable_lines(text) if sys.stdout.isatty() else text)


def print_json(value: object) -> None:
    """Print one JSON object on stdout."""
    _write(json.dumps(value, indent=2, default=str))


def print_json_line(value: object) -> None:
    """Print one JSON object on a line of stdout."""
    _write(json.dumps(value, default=str))


def print_fields(fields: Row) -> None:
    """Print a line for each field that has a value."""
    shown = {name: value for name, value in fields.items() if value not in _NO_VALUES}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        print_line(f"{name.replace('_', ' '):{width}}  {format_value(value)}")


def print_table(rows: Sequence[Row]) -> None:
    """Print a table; the fields of the rows are its columns."""
    if sys.stdout.isatty():
        _print_rich_table(rows)
    else:
        _write("\n".join(_plain_lines(rows)))


def _print_rich_table(rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, value in rows[0].items():
        table.add_column(_heading(name), justify="right" if _is_number(value) else "left")
    for row in rows:
        table.add_row(*(_cell(format_value(value)) for value in row.values()))
    Console(highlight=False).print(table)


def _plain_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a table for other programs, which get whole cells."""
    lines = [
        list(map(_heading, rows[0])),
        *([printable(format_value(value)) for value in row.values()] for row in rows),
    ]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    adjust = [str.rjust if _is_number(value) else str.ljust for value in rows[0].values()]
    for line in lines:
        cells = (fill(cell, width) for fill, cell, width in zip(adjust, line, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _text(text: str, style: str = "") -> "Text":
    """Return lines for Rich, which would read markup and emoji in a plain string."""
    from rich.text import Text

    return Text(printable_lines(text), style)


def _cell(text: str) -> "Text":
    from rich.text import Text

    return Text(printable(text))


class LiveProgress:
    """Shows the newest trials on the terminal, and the present activity below them."""

    def __init__(self, complete: "Callable[[str], str]") -> None:
        self._complete = complete
        self._share = ShareProgress()
        self._live: Live | None = None
        self._log_refreshed = 0.0
        self._last_log_line = ""
        self._trials: RenderableType = ""

    def on_experiment(self, experiment: "Experiment", snapshot: "Snapshot") -> None:
        """Report a snapshot of an experiment."""
        from rich.console import Group

        line = _activity(experiment.name, summary(experiment, snapshot))
        self._trials = Group(_trial_table(snapshot), line, *map(_text, warnings_of(snapshot)))
        self._show(self._trials)

    def on_task(
        self, task: "Task", snapshot: "Snapshot", last_log_line: "Callable[[], str]"
    ) -> None:
        """Report a snapshot of a task."""
        from rich.console import Group

        if time.monotonic() - self._log_refreshed >= _LOG_REFRESH_SECONDS:
            self._log_refreshed = time.monotonic()
            self._last_log_line = last_log_line() or "starting"
        line = _activity(task.name, self._last_log_line)
        self._show(Group(self._trials, line, *map(_text, warnings_of(snapshot))))

    def on_share(self, activity: str, share: float) -> None:
        """Report the finished share of an activity."""
        self._show(_text(self._share.line(activity, share)))

    def on_estimate(self, estimate: "SearchEstimate") -> None:
        """Report the estimate of a search."""
        note(str(estimate))

    def on_warning(self, message: str, hint: str) -> None:
        """Report a problem that does not fail the operation."""
        print_warning(message, self._complete(hint))

    def close(self) -> None:
        """Leave the last table on the terminal."""
        if self._live is not None:
            self._live.stop()

    def _show(self, renderable: "RenderableType") -> None:
        from rich.live import Live

        if self._live is None:
            self._live = Live(console=_stderr(), auto_refresh=False)
            self._live.start()
        self._live.update(renderable, refresh=True)


def _activity(name: str, text: str) -> "Text":
    from rich.text import Text

    return Text.assemble((printable(name), "bold"), f": {printable(text)}")


def _trial_table(snapshot: "Snapshot") -> "RenderableType":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, width in _WIDTHS.items():
        justify: Literal["left", "right"] = "right" if name in {"trial", "mse"} else "left"
        table.add_column(name, justify=justify, no_wrap=True, min_width=width)
    best = snapshot.best_trial
    shown = snapshot.trials[-_RECENT_TRIALS:]
    if best and best not in shown:
        shown = (best, *shown)
    for trial in shown:
        cells = map(_cell, _trial_cells(trial))
        table.add_row(*cells, style="green" if trial == best else "")
    return table


def _trial_cells(trial: "Trial") -> tuple[str, ...]:
    return (
        str(trial.number),
        trial.family,
        "" if trial.mse is None else f"{trial.mse:.4f}",
        _state(trial),
        format_value(trial.assignment),
    )


def _state(trial: "Trial") -> str:
    """Return a trial's state; the cause of waiting is shown below the table."""
    if trial.state is TrialState.FAILED and trial.cause:
        return trial.cause
    if trial.state is TrialState.PRUNED:
        return f"pruned after {trial.pruned_after} {'fold' if trial.pruned_after == 1 else 'folds'}"
    return f"{trial.state}, stuck" if trial.cause else trial.state
