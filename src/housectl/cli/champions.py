"""Commands about the champion: compare, promote, rollback and history."""

from typing import TYPE_CHECKING, Annotated

import typer

from housectl import ExitStatus
from housectl.cli.arguments import ChallengerName
from housectl.cli.decorators import pass_project
from housectl.cli.results import Fields, Row, Table
from housectl.cli.settings import BACKEND_SETTINGS, REGISTRY_SETTINGS

if TYPE_CHECKING:
    from housectl import Comparison, HistoryEntry, Project


@pass_project("gate", *BACKEND_SETTINGS)
def compare(project: "Project", /, name: ChallengerName = None) -> Fields:
    """Compare a challenger with the champion, without promoting it.

    Exits with status 10 if the champion would stay.

    Example: housectl compare
    """
    comparison = project.compare(name)
    return Fields(fields=_comparison_row(comparison), status=_status_of(comparison))


@pass_project("gate", *BACKEND_SETTINGS, *REGISTRY_SETTINGS, "deploy-details")
def promote(project: "Project", /, name: ChallengerName = None) -> Fields:
    """Make a challenger the champion if it is better.

    Exits with status 10 if the champion stays.

    Example: housectl promote --gate holdout
    """
    promotion = project.promote(name)
    entry = promotion.entry
    return Fields(
        fields={
            **_comparison_row(promotion.comparison),
            "promoted": entry is not None,
            "number": entry.number if entry else promotion.comparison.champion_number,
        },
        status=_status_of(promotion.comparison),
        notes=[
            *project.clock_warnings(since=entry.number),
            "Next: housectl serve   (a running server switches by itself)",
        ]
        if entry
        else [],
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
    return Table(
        key="history",
        rows=[_entry_row(entry) for entry in reversed(project.history())],
        empty="There is no champion yet: housectl promote",
        notes=project.clock_warnings(),
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


def _comparison_row(comparison: "Comparison") -> Row:
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


def _status_of(comparison: "Comparison") -> ExitStatus:
    return ExitStatus.OK if comparison.verdict.accepted else ExitStatus.CHAMPION_KEPT
