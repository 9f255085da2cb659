"""Verdicts and steps as Markdown tables. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from housectl.cli.formatting import format_value

if TYPE_CHECKING:
    from housectl import (
        Comparison,
        FoldDifference,
        HoldoutErrors,
        PipelineRun,
        SealedModel,
        Verdict,
    )


def verdict_table(comparison: "Comparison", *, override: str | None = None) -> str:
    """Return a verdict as a table.

    Args:
        comparison: The verdict.
        override: Reason of a promotion against the verdict; None without one.
    """
    first, *others = _verdict_rows(comparison)
    overrides = [("override", f"promoted against the verdict: {override}")] if override else []
    return _table(first, [*others, *overrides])


def run_tables(run: "PipelineRun") -> str:
    """Return the verdict of a pipeline, if there was one, and its steps as tables."""
    steps = _table(
        ("step", "action", "reason", "outcome"),
        ((result.step, result.action, result.reason, result.outcome) for result in run.steps),
    )
    return f"{verdict_table(run.comparison)}\n\n{steps}" if run.comparison else steps


def _verdict_rows(comparison: "Comparison") -> Iterator[tuple[str, str]]:
    verdict, errors = comparison.verdict, comparison.holdout_errors
    yield "verdict", "the challenger is better" if verdict.accepted else "the champion stays"
    yield "challenger", _model(comparison.challenger, errors["challenger"])
    yield "champion", _model(comparison.champion, errors["champion"])
    if origin := comparison.history.champion_override:
        yield "origin of the champion", f"promoted against the verdict: {origin}"
    yield "linear model", _errors(errors["linear"])
    yield "mean of the targets", _errors(errors["mean"])
    yield from _differences(verdict)
    yield "gate", verdict.gate
    yield "reason", verdict.reason
    if verdict.wear:
        yield "wear", verdict.wear


def _differences(verdict: "Verdict") -> Iterator[tuple[str, str]]:
    """Yield the differences over the folds to the champion, or else the mean, and to linear."""
    if verdict.difference:
        yield "MSE over the folds minus the champion's", _difference(verdict.difference)
    else:
        yield "MSE over the folds minus the mean's", _difference(verdict.mean_difference)
    yield "MSE over the folds minus the linear model's", _difference(verdict.linear_difference)


def _difference(difference: "FoldDifference") -> str:
    low, high = format_value(difference.low), format_value(difference.high)
    return f"{format_value(difference.mean)}, 90 % interval {low} to {high}"


def _model(model: "SealedModel | None", errors: "HoldoutErrors | None") -> str:
    return f"`{model.version}`, {_errors(errors)}" if model else "none"


def _errors(errors: "HoldoutErrors | None") -> str:
    """Return errors on the held-out rows; old evidence lacks two of them."""
    if errors is None:
        return "-"
    values = {"MSE": errors.mse, "RMSE": errors.rmse, "MAE": errors.mae, "R²": errors.r2}
    known = (f"{name} {format_value(value)}" for name, value in values.items() if value is not None)
    return f"held-out {', '.join(known)}"


def _table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    return "\n".join([_line(header), _line(["---"] * len(header)), *map(_line, rows)])


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(_escaped, cells))} |"


def _escaped(cell: object) -> str:
    """Return a cell without the characters that end it, or begin a tag of HTML."""
    text = format_value(cell).replace("|", r"\|").replace("<", "&lt;")
    return " ".join(text.splitlines())
