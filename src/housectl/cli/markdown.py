"""Verdicts and steps as Markdown tables. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from housectl.cli.formatting import format_value

if TYPE_CHECKING:
    from housectl import Comparison, PipelineRun, SealedModel


def verdict_table(comparison: "Comparison") -> str:
    """Return a verdict as a table."""
    first, *others = _verdict_rows(comparison)
    return _table(first, others)


def run_tables(run: "PipelineRun") -> str:
    """Return the verdict of a pipeline, if there was one, and its steps as tables."""
    steps = _table(
        ("step", "action", "reason", "outcome"),
        ((result.step, result.action, result.reason, result.outcome) for result in run.steps),
    )
    return f"{verdict_table(run.comparison)}\n\n{steps}" if run.comparison else steps


def _verdict_rows(comparison: "Comparison") -> Iterator[tuple[str, str]]:
    verdict = comparison.verdict
    yield "verdict", "the challenger is better" if verdict.accepted else "the champion stays"
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


def _table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    return "\n".join([_line(header), _line(["---"] * len(header)), *map(_line, rows)])


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(_escaped, cells))} |"


def _escaped(cell: object) -> str:
    """Return a cell without the characters that end it, or begin a tag of HTML."""
    text = format_value(cell).replace("|", r"\|").replace("<", "&lt;")
    return " ".join(text.splitlines())
