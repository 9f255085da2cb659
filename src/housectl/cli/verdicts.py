"""Verdicts as results of commands: fields, or a Markdown table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from housectl import ExitStatus
from housectl.cli.formatting import error_row
from housectl.cli.job_summary import WithJobSummary
from housectl.cli.markdown import verdict_table
from housectl.cli.results import Document, Fields, Result, Row

if TYPE_CHECKING:
    from housectl import Comparison, FoldDifference

MarkdownOption = Annotated[
    bool, typer.Option("--markdown", help="Print the verdict as a Markdown table.")
]


def verdict_result(
    comparison: "Comparison",
    *,
    fields: Row,
    markdown: bool,
    notes: Sequence[str] = (),
    override: str | None = None,
) -> Result:
    """Return the result of a command that judged a challenger.

    Args:
        comparison: The verdict.
        fields: The fields of the result.
        markdown: Print the table instead of the fields.
        notes: Lines for stderr.
        override: Reason of a promotion against the verdict; None without one.
    """
    table = verdict_table(comparison, override=override)
    hint = comparison.verdict.hint
    is_kept = not comparison.verdict.accepted and override is None
    notes = [*notes, f"Next: {hint}"] if is_kept and hint else notes
    status = ExitStatus.CHAMPION_KEPT if is_kept else ExitStatus.OK
    result: Result = (
        Document(text=table, fields=fields, notes=notes, status=status)
        if markdown
        else Fields(fields=fields, notes=notes, status=status)
    )
    return WithJobSummary(result=result, markdown=table)


def comparison_fields(comparison: "Comparison") -> Row:
    """Return the fields of a verdict."""
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
