"""Commands about champions: compare, promote, rollback, history."""

from typing import TYPE_CHECKING, Annotated

import typer

from housectl.cli.arguments import ChallengerName
from housectl.cli.decorators import pass_pipeline, pass_store
from housectl.cli.results import Fields, Row, Table
from housectl.cli.settings import BACKEND_SETTINGS
from housectl.errors import ExitStatus

if TYPE_CHECKING:
    from housectl.contract.history import Entry
    from housectl.pipeline import Comparison, Pipeline
    from housectl.store import ChampionStore


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (compare, promote, rollback, history):
        app.command()(command)


@pass_pipeline("gate", *BACKEND_SETTINGS)
def compare(pipeline: "Pipeline", /, name: ChallengerName = None) -> Fields:
    """Say whether a challenger would win, and why.

    Ends with status 10 when the champion would stay.

    Example: housectl compare
    """
    comparison = pipeline.compare(name)
    return Fields(fields=_comparison_row(comparison), status=_status_of(comparison))


@pass_pipeline("gate", *BACKEND_SETTINGS, "deploy-details")
def promote(pipeline: "Pipeline", /, name: ChallengerName = None) -> Fields:
    """Make a challenger the champion if it is better.

    Ends with status 10 when the champion stays.

    Example: housectl promote --gate holdout
    """
    promotion = pipeline.promote(name)
    entry = promotion.entry
    return Fields(
        fields={
            **_comparison_row(promotion.comparison),
            "promoted": entry is not None,
            "number": entry.number if entry else promotion.comparison.champion_number,
        },
        status=_status_of(promotion.comparison),
        notes=["Next: housectl serve   (a running server follows by itself)"] if entry else [],
    )


@pass_pipeline("deploy-details")
def rollback(
    pipeline: "Pipeline",
    /,
    *,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="VERSION", help="A bundle; by default the champion before."),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", help="Why, for the history.")
    ] = "Rolled back by hand.",
) -> Fields:
    """Make an earlier champion the champion again.

    Example: housectl rollback --reason "complaints from users"
    """
    return Fields(fields=_entry_row(pipeline.rollback(to, reason=reason)))


@pass_store
def history(store: "ChampionStore", /) -> Table:
    """Show who was champion when, the newest first.

    Example: housectl history
    """
    return Table(
        key="history",
        rows=[_entry_row(entry) for entry in reversed(store.history())],
        empty="There is no champion yet: housectl promote",
    )


def _entry_row(entry: "Entry") -> Row:
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
        "promotes": verdict.accepted,
        "reason": verdict.reason,
    }


def _status_of(comparison: "Comparison") -> ExitStatus:
    return ExitStatus.OK if comparison.verdict.accepted else ExitStatus.CHAMPION_KEPT
