"""Verdicts as results of commands: fields, a Markdown table, the summary of a job on GitHub."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from housectl import ExitStatus
from housectl.cli.console import note
from housectl.cli.formatting import format_value
from housectl.cli.results import Document, Fields, Result, Row

if TYPE_CHECKING:
    from housectl import Comparison, SealedModel

MarkdownOption = Annotated[
    bool, typer.Option("--markdown", help="Print the verdict as a Markdown table.")
]

_SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
_MAX_SUMMARY_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class JobSummary:
    """A result that a job in GitHub Actions also shows in its summary.

    Attributes:
        markdown: The text for the summary.
    """

    result: Result
    markdown: str

    @property
    def notes(self) -> Sequence[str]:
        """Notes of the result."""
        return self.result.notes

    @property
    def status(self) -> ExitStatus:
        """Exit status of the result."""
        return self.result.status

    def show(self, *, as_json: bool) -> None:
        """Print the result, and append the text to the summary if this is a job on GitHub."""
        self.result.show(as_json=as_json)
        if path := os.environ.get(_SUMMARY_VARIABLE):
            _append(path, self.markdown)


def verdict_result(
    comparison: "Comparison", *, fields: Row, notes: Sequence[str] = (), markdown: bool
) -> Result:
    """Return the result of a command that judged a challenger.

    Args:
        comparison: The verdict.
        fields: The fields of the result.
        notes: Lines for stderr.
        markdown: Print the table instead of the fields.
    """
    table = verdict_table(comparison)
    status = ExitStatus.OK if comparison.verdict.accepted else ExitStatus.CHAMPION_KEPT
    result: Result = (
        Document(text=table, fields=fields, notes=notes, status=status)
        if markdown
        else Fields(fields=fields, notes=notes, status=status)
    )
    return JobSummary(result=result, markdown=table)


def comparison_fields(comparison: "Comparison") -> Row:
    """Return the fields of a verdict."""
    verdict = comparison.verdict
    difference = verdict.difference
    return {
        "challenger": comparison.challenger.version,
        "champion": comparison.champion.version if comparison.champion else None,
        "challenger_holdout_mse": verdict.challenger_mse,
        "champion_holdout_mse": verdict.champion_mse,
        "cv_mse_difference": difference.mean if difference else None,
        "interval_90": [difference.low, difference.high] if difference else None,
        "gate": verdict.gate,
        "accepted": verdict.accepted,
        "reason": verdict.reason,
    }


def verdict_table(comparison: "Comparison") -> str:
    """Return a verdict as a Markdown table."""
    rows = [f"| {name} | {_escaped(value)} |" for name, value in _table_rows(comparison)]
    return "\n".join([rows[0], "| --- | --- |", *rows[1:]])


def _table_rows(comparison: "Comparison") -> Iterator[tuple[str, str]]:
    verdict = comparison.verdict
    accepted = "the challenger is better" if verdict.accepted else "the champion stays"
    yield "verdict", accepted
    yield "challenger", _model(comparison.challenger, verdict.challenger_mse)
    yield "champion", _model(comparison.champion, verdict.champion_mse)
    if difference := verdict.difference:
        low, high = format_value(difference.low), format_value(difference.high)
        yield (
            "MSE difference over the folds",
            f"{format_value(difference.mean)}, 90 % interval {low} to {high}",
        )
    yield "gate", verdict.gate
    yield "reason", verdict.reason


def _model(model: "SealedModel | None", holdout_mse: float | None) -> str:
    if model is None:
        return "none"
    return f"`{model.version}`, held-out MSE {format_value(holdout_mse)}"


def _escaped(cell: str) -> str:
    return " ".join(cell.replace("|", r"\|").replace("<", "&lt;").splitlines())


def _append(path: str, markdown: str) -> None:
    """Append a text with one write; a summary that is not writable is only a note."""
    content = f"{markdown}\n\n".encode()[:_MAX_SUMMARY_BYTES]
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o644)
        try:
            os.write(file, content)
        finally:
            os.close(file)
    except OSError as error:
        note(f"The job's summary was not written to {path}: {error.strerror}.")
