"""Commands about the champion: compare, promote, rollback and history."""

from typing import TYPE_CHECKING, Annotated

import typer

from housectl.cli.arguments import ChallengerName
from housectl.cli.decorators import pass_project
from housectl.cli.results import Fields, Result, Row, Table
from housectl.cli.settings import BACKEND_SETTINGS, REGISTRY_SETTINGS
from housectl.cli.verdicts import MarkdownOption, comparison_fields, verdict_result

if TYPE_CHECKING:
    from housectl import HistoryEntry, Project


@pass_project("gate", *BACKEND_SETTINGS, "deploy-details")
def compare(
    project: "Project", /, name: ChallengerName = None, *, markdown: MarkdownOption = False
) -> Result:
    """Compare a challenger with the champion, without promoting it.

    Exits with status 10 if the champion would stay. In GitHub Actions, the job's summary shows
    the verdict, too.

    Example: housectl compare --markdown
    """
    comparison = project.compare(name)
    return verdict_result(comparison, fields=comparison_fields(comparison), markdown=markdown)


@pass_project("gate", *BACKEND_SETTINGS, *REGISTRY_SETTINGS, "deploy-details")
def promote(
    project: "Project", /, name: ChallengerName = None, *, markdown: MarkdownOption = False
) -> Result:
    """Make a challenger the champion if it is better.

    Exits with status 10 if the champion stays. In GitHub Actions, the job's summary shows the
    verdict, too.

    Example: housectl promote --gate holdout
    """
    promotion = project.promote(name)
    entry = promotion.entry
    return verdict_result(
        promotion.comparison,
        fields={
            **comparison_fields(promotion.comparison),
            "promoted": entry is not None,
            "number": entry.number if entry else promotion.comparison.champion_number,
        },
        notes=[
            *promotion.clock_warnings,
            "Next: housectl serve   (a running server switches by itself)",
        ]
        if entry
        else [],
        markdown=markdown,
    )


@pass_project(*REGISTRY_SETTINGS, "deploy-details")
def rollback(
    project: "Project",
    /,
    *,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="VERSION", help="A bundle; by default the previous champion."),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", help="Explanation for the history.")
    ] = "Rolled back by hand.",
) -> Fields:
    """Make an earlier champion the champion again.

    Example: housectl rollback --reason "complaints from users"
    """
    entry = project.rollback(to, reason=reason)
    return Fields(fields=_entry_row(entry), notes=project.clock_warnings(since=entry.number))


@pass_project()
def history(project: "Project", /) -> Table:
    """List the changes of the champion, the newest first.

    Example: housectl history
    """
    rows = [_entry_row(entry) for entry in reversed(project.history())]
    return Table(
        key="history",
        rows=rows,
        empty="There is no champion yet.",
        notes=project.clock_warnings() if rows else ["Next: housectl promote"],
    )


def _entry_row(entry: "HistoryEntry") -> Row:
    return {
        "number": entry.number,
        "version": entry.bundle[:12],
        "holdout_mse": entry.holdout_mse,
        "action": entry.action,
        "at": entry.at[:19] + "Z",
        "by": entry.by,
        "reason": entry.reason,
    }
