"""Verdicts as results of commands: lines and tables, or a Markdown table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from housectl import ExitStatus
from housectl.cli.formatting import error_row, format_value
from housectl.cli.job_summary import WithJobSummary
from housectl.cli.markdown import verdict_table
from housectl.cli.results import Document, Report, Result, Row

if TYPE_CHECKING:
    from housectl import Comparison, FoldDifference, HoldoutErrors, Verdict

_ERRORS = {"linear": "linear model", "mean": "mean of the targets"}

MarkdownOption = Annotated[
    bool, typer.Option("--markdown", help="Print the verdict as a Markdown table.")
]


def verdict_result(
    comparison: "Comparison",
    *,
    promotion: Row | None = None,
    markdown: bool,
    notes: Sequence[str] = (),
    override: str | None = None,
) -> Result:
    """Return the result of a command that judged a challenger.

    Args:
        comparison: The verdict.
        promotion: Fields of a promotion; None without an attempt.
        markdown: Print the table instead of the fields.
        notes: Lines for stderr.
        override: Reason of a promotion against the verdict; None without one.
    """
    table = verdict_table(comparison, override=override)
    fields = {**_comparison_fields(comparison), **(promotion or {})}
    hint = comparison.verdict.hint
    is_kept = not comparison.verdict.accepted and override is None
    notes = [*notes, f"Next: {hint}"] if is_kept and hint else notes
    status = ExitStatus.CHAMPION_KEPT if is_kept else ExitStatus.OK
    result: Result = (
        Document(text=table, fields=fields, notes=notes, status=status)
        if markdown
        else Report(
            fields=fields,
            lines={**_comparison_lines(comparison), **(promotion or {})},
            tables=[*_comparison_tables(comparison)],
            notes=notes,
            status=status,
        )
    )
    return WithJobSummary(result=result, markdown=table)


def _comparison_fields(comparison: "Comparison") -> Row:
    verdict = comparison.verdict
    errors = comparison.holdout_errors
    return {
        "challenger": comparison.challenger.version,
        "champion": comparison.champion.version if comparison.champion else None,
        "champion_override": comparison.history.champion_override,
        "challenger_holdout_mse": verdict.challenger_mse,
        "champion_holdout_mse": verdict.champion_mse,
        **{f"{name}_errors": error_row(each) if each else None for name, each in errors.items()},
        **_difference_fields("", verdict.difference),
        **_difference_fields("linear_", verdict.linear_difference),
        **_difference_fields("mean_", verdict.mean_difference),
        "gate": verdict.gate,
        "accepted": verdict.accepted,
        "reason": verdict.reason,
        "hint": verdict.hint,
        "holdout_comparisons": verdict.comparisons,
        "holdout_wear": verdict.wear,
    }


def _difference_fields(prefix: str, difference: "FoldDifference | None") -> Row:
    return {
        f"{prefix}cv_mse_difference": difference.mean if difference else None,
        f"{prefix}interval_90": [difference.low, difference.high] if difference else None,
    }


def _comparison_lines(comparison: "Comparison") -> Row:
    """Return the fields of a verdict that are no errors; notes give the hint."""
    verdict = comparison.verdict
    return {
        "challenger": comparison.challenger.version,
        "champion": comparison.champion.version if comparison.champion else "none yet",
        "champion_override": comparison.history.champion_override,
        "gate": verdict.gate,
        "accepted": verdict.accepted,
        "reason": verdict.reason,
        "holdout_wear": verdict.wear,
    }


def _comparison_tables(comparison: "Comparison") -> Iterator[Sequence[Row]]:
    """Yield the errors on the held-out rows, and the differences over the folds."""
    yield [*_error_rows(comparison.holdout_errors)]
    yield [*_difference_rows(comparison.verdict)]


def _error_rows(errors: "Mapping[str, HoldoutErrors | None]") -> Iterator[Row]:
    for name, each in errors.items():
        if each is not None:
            yield {"held-out rows": _ERRORS.get(name, name), **error_row(each)}


def _difference_rows(verdict: "Verdict") -> Iterator[Row]:
    differences = {
        "champion": verdict.difference,
        "linear model": verdict.linear_difference,
        "mean of the targets": verdict.mean_difference,
    }
    for name, each in differences.items():
        if each is not None:
            interval = f"{format_value(each.low)} to {format_value(each.high)}"
            yield {
                "folds": f"challenger minus {name}",
                "mse": each.mean,
                "90_%_interval": interval,
            }
