"""Commands about the champion: compare, promote, rollback and history."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from housectl.cli.arguments import ChallengerName
from housectl.cli.decorators import pass_project
from housectl.cli.results import Fields, Result, Row, Table
from housectl.cli.settings import BACKEND_SETTINGS, REGISTRY_SETTINGS
from housectl.cli.verdicts import MarkdownOption, verdict_result

if TYPE_CHECKING:
    from housectl import HistoryEntry, Project, Promotion


@pass_project("gate", *BACKEND_SETTINGS, "deploy-details")
def compare(
    project: "Project", /, name: ChallengerName = None, *, markdown: MarkdownOption = False
) -> Result:
    """Compare a challenger with the champion, without promoting it.

    Exits with status 10 if the champion would stay. In GitHub Actions, the job's summary shows
    the verdict, too.

    Example: housectl compare --markdown
    """
    return verdict_result(project.compare(name), markdown=markdown)


@pass_project("gate", *BACKEND_SETTINGS, *REGISTRY_SETTINGS, "deploy-details")
def promote(
    project: "Project",
    /,
    name: ChallengerName = None,
    *,
    accept: Annotated[
        str | None,
        typer.Option(
            "--accept",
            metavar="REASON",
            help="Promote even against the verdict; the history records this reason.",
        ),
    ] = None,
    markdown: MarkdownOption = False,
) -> Result:
    """Make a challenger the champion if it is better.

    Exits with status 10 if the champion stays. In GitHub Actions, the job's summary shows the
    verdict, too.

    Example: housectl promote --accept "the old model lacks the new town"
    """
    promotion = project.promote(name, accept=accept)
    return verdict_result(
        promotion.comparison,
        override=promotion.override,
        promotion={
            "promoted": promotion.entry is not None,
            "override": promotion.override,
            "number": promotion.number,
        },
        notes=_promotion_notes(promotion, accept=accept),
        markdown=markdown,
    )


def _promotion_notes(promotion: "Promotion", *, accept: str | None) -> Sequence[str]:
    if promotion.entry is None:
        return ()
    not_needed = "--accept was not recorded, because the verdict accepts the challenger."
    return (
        *([not_needed] if accept is not None and promotion.override is None else []),
        *promotion.clock_warnings,
        "Next: housectl serve   (a running server switches by itself)",
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
        "override": entry.override_reason,
    }
