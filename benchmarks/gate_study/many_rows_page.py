"""The tables of docs/gate.md about the number of folds, made from worlds with many rows."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmarks.gate_study.cases import CASES
from benchmarks.gate_study.comparison import rate_of
from benchmarks.gate_study.many_rows import PAIRS, SIZES, ManyRowsWorld, measured_gates
from benchmarks.gate_study.page import replace_results
from benchmarks.gate_study.statistics import Rate
from housectl.contract.recipe import GateFolds, gate_of
from housectl_trainer.sealing.markdown import table

_BEGIN = "<!-- results with many rows: `make gate-study` writes them -->\n"
_END = "<!-- end of the results with many rows -->\n"
# Worlds by their number of training rows.
WorldsBySize = Mapping[int, Sequence[ManyRowsWorld]]


def with_many_rows(page: str, worlds: WorldsBySize) -> str:
    """Return the page with the tables of these worlds between its two marks."""
    goals = (f"{'≤' if case.is_error else '≥'} {case.goal:.0%}" for case in CASES)
    header = ("training rows", "worlds", "folds", *PAIRS)
    rows = [("goal", "", "", *goals, ""), *_rate_rows(worlds)]
    return replace_results(
        page,
        f"""
{table(header, rows)}

The true ratios of the same worlds, each with its 10 % and 90 % quantiles:

{table(("training rows", *PAIRS), _ratio_rows(worlds))}

""",
        begin=_BEGIN,
        end=_END,
    )


def _rate_rows(worlds: WorldsBySize) -> Iterator[Sequence[str]]:
    """Yield the rates of promotion with each gate; the gate of the rule is bold."""
    for size in SIZES:
        for gate in measured_gates(size):
            rates = (_shown(_rate(case, worlds[size], gate)) for case in PAIRS)
            name = f"{gate.repeats} time{'' if gate.repeats == 1 else 's'} {gate.folds}"
            shown = f"**{name}**" if gate == gate_of(size) else name
            yield f"{size:,}", str(len(worlds[size])), shown, *rates


def _rate(case: str, worlds: Sequence[ManyRowsWorld], gate: GateFolds) -> Rate:
    return rate_of(
        np.array([world.is_promoted(*pair, gate) for world in worlds for pair in PAIRS[case]])
    )


def _shown(rate: Rate) -> str:
    return f"{rate.rate:.1%} ({rate.low:.1%} to {rate.high:.1%})"


def _ratio_rows(worlds: WorldsBySize) -> Iterator[Sequence[str]]:
    for size in SIZES:
        yield f"{size:,}", *(_ratios(pairs[0], worlds[size]) for pairs in PAIRS.values())


def _ratios(pair: tuple[str, str], worlds: Sequence[ManyRowsWorld]) -> str:
    ratios = np.array([world.ratio(*pair) for world in worlds])
    low, high = np.quantile(ratios, [0.1, 0.9])
    return f"{ratios.mean():.3f} ({low:.3f} to {high:.3f})"
