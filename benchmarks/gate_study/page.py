"""The tables of docs/gate.md, made from the measured worlds."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from benchmarks.gate_study.candidates import Role
from benchmarks.gate_study.cases import (
    CASES,
    Case,
    for_each_pair,
    is_promoted,
    pair_of,
    true_ratio,
)
from benchmarks.gate_study.comparison import COMPARED_RULES, RuleResult, compare_rules, rate_of
from benchmarks.gate_study.material import LEVEL_WORLDS, Material, Pairing
from benchmarks.gate_study.rules import TODAY
from benchmarks.gate_study.statistics import Rate
from benchmarks.gate_study.wear import CHALLENGERS, Wear
from housectl.verdict import CHAMPION_LEVEL, Gate
from housectl_trainer.sealing.markdown import table
from housectl_trainer.subset import Floats

_BEGIN = "<!-- results: `make gate-study` writes them -->\n"
_END = "<!-- end of the results -->\n"
_LEVELS = (0.2, 0.15, 0.125, 0.1, 0.05)
_RATIOS = (0.8, 0.85, 0.9, 0.95, 0.98, 1.02, 1.05, 1.1, 1.2)
_WEAR_STEPS = tuple(step for step in (1, 2, 5, 10, 20) if step <= CHALLENGERS)


def with_results(page: str, materials: Sequence[Material], wears: Sequence[Wear]) -> str:
    """Return the page with the tables of all results between its two marks."""
    sections = (_gate(materials), _rules(materials), _wear(wears))
    return replace_results(page, f"\n{''.join(sections)}", begin=_BEGIN, end=_END)


def replace_results(page: str, results: str, *, begin: str, end: str) -> str:
    """Return the page with other results between two marks.

    Raises:
        ValueError: The page has no such marks.
    """
    before, found_begin, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError("the page has no marks around its results")
    return f"{before}{begin}{results}{end}{after}"


def _gate(materials: Sequence[Material]) -> str:
    first = [each for each in materials if each.number < LEVEL_WORLDS]
    check = [each for each in materials if each.number >= LEVEL_WORLDS]
    rows = [(*_case_row(case, first), _with_interval(_rate_of(case, check))) for case in CASES]
    kinds = [_kind_row(kind, materials) for kind in Pairing]
    levels = [_level_row(level, materials) for level in _LEVELS]
    return f"""\
### Rates of promotion

The gate judged the challengers of {len(materials)} worlds. The first {len(first)} worlds chose the
level of significance. The other {len(check)} worlds check it, because they chose nothing. Rates
have 95 % intervals (Wilson). The true ratio is the challenger's MSE divided by the champion's, with
its 10 % and 90 % quantiles over the first worlds. Equal models were judged in both directions.

{table(("challenger", "true ratio", "promoted", "goal", "met", "promoted in the check"), rows)}

The same in all worlds, by the kind of challenger:

{table(("challenger", "worlds", *(case.name for case in CASES)), kinds)}

The same rule with other levels of significance, one-sided; the gate's is {CHAMPION_LEVEL:g}:

{table(("level", *(case.name for case in CASES)), levels)}

All pairs of the worlds, by their measured true ratio:

{table(("true ratio", "comparisons", "promoted"), _ratio_rows(materials))}

"""


def _level_row(level: float, materials: Sequence[Material]) -> Sequence[str]:
    def promoted(material: Material, challenger: Role, champion: Role) -> float:
        return float(TODAY.value(pair_of(material, challenger, champion)) > 1 - level)

    rates = (rate_of(for_each_pair(materials, case, promoted)) for case in CASES)
    return f"{level}", *(f"{rate.rate:.1%}" for rate in rates)


def _ratio_rows(materials: Sequence[Material]) -> Iterator[Sequence[str]]:
    """Yield the rate of promotions in each range of the true ratio."""
    ratios = _over_cases(materials, true_ratio)
    promoted = _over_cases(materials, is_promoted)
    for low, high in pairwise(_RATIOS):
        chosen = promoted[(ratios >= low) & (ratios < high)]
        if len(chosen):
            yield f"{low:.2f} to {high:.2f}", str(len(chosen)), _with_interval(rate_of(chosen))


def _over_cases(
    materials: Sequence[Material], function: Callable[[Material, Role, Role], float]
) -> Floats:
    return np.concatenate([for_each_pair(materials, case, function).ravel() for case in CASES])


def _case_row(case: Case, materials: Sequence[Material]) -> Sequence[str]:
    ratios = for_each_pair(materials, case, true_ratio)[:, 0]
    rate = _rate_of(case, materials)
    low, high = np.quantile(ratios, [0.1, 0.9])
    met = rate.rate <= case.goal if case.is_error else rate.rate >= case.goal
    return (
        case.name,
        f"{ratios.mean():.2f} ({low:.2f} to {high:.2f})",
        _with_interval(rate),
        f"{'at most' if case.is_error else 'at least'} {case.goal:.0%}",
        "yes" if met else "no",
    )


def _kind_row(kind: Pairing, materials: Sequence[Material]) -> Sequence[str]:
    chosen = [each for each in materials if Pairing.of(each.number) is kind]
    rates = (_rate_of(case, chosen) for case in CASES)
    return kind, str(len(chosen)), *(f"{rate.rate:.0%}" for rate in rates)


def _rate_of(case: Case, materials: Sequence[Material]) -> Rate:
    return rate_of(for_each_pair(materials, case, is_promoted))


def _rules(materials: Sequence[Material]) -> str:
    header = ("rule", "worlds", *(case.name for case in CASES), "gain at 0.9")
    rows = [_rule_row(result) for result in compare_rules(materials)]
    return f"""\
### Other rules

Each rule decides from the same errors. Half of the worlds chose its threshold, so that it promotes
as many equal models as the gate. The other half measured its rates. The table has the means over
several random divisions of the worlds. The gain is the difference of the promotions of models with
0.9 of the MSE, in percentage points. Its interval is a bootstrap over the worlds. It is corrected
for {COMPARED_RULES} compared rules (Bonferroni, 90 % for all together). A rule is better if all of
its interval is above 0.

{table(header, rows)}

"""


def _rule_row(result: RuleResult) -> Sequence[str]:
    rates = (f"{result.rates[case.name]:.1%}" for case in CASES)
    gain, low, high = (100 * each for each in (result.gain, result.low, result.high))
    shown = f"{gain:+.1f} ({low:+.1f} to {high:+.1f})"
    return result.rule.name, str(result.worlds), *rates, shown


def _wear(wears: Sequence[Wear]) -> str:
    rows = [
        (str(step), *(_optimism(wears, gate, step) for gate in (Gate.HOLDOUT, Gate.HOLDOUT_AND_CV)))
        for step in _WEAR_STEPS
    ]
    promotions = [
        f"{np.mean([wear.promotions[gate] for wear in wears]):.1f} with the gate `{gate}`"
        for gate in (Gate.HOLDOUT, Gate.HOLDOUT_AND_CV)
    ]
    header = ("comparisons", f"gate `{Gate.HOLDOUT}`", f"gate `{Gate.HOLDOUT_AND_CV}`")
    return f"""\
### Worn held-out rows

In {len(wears)} further worlds, {CHALLENGERS} equal models challenged one after the other on the
same held-out rows. So no promotion was deserved. The table shows by how much the
champion's held-out MSE was lower than its true MSE, with 90 % intervals. The number of promotions
was {" and ".join(promotions)}.

{table(header, rows)}

"""


def _optimism(wears: Sequence[Wear], gate: Gate, step: int) -> str:
    values = 100 * np.array([wear.optimism[gate][step] for wear in wears])
    half_width = 1.645 * values.std(ddof=1) / np.sqrt(len(values))
    mean = values.mean()
    return f"{mean:.1f} % ({mean - half_width:.1f} to {mean + half_width:.1f})"


def _with_interval(rate: Rate) -> str:
    return f"{rate.rate:.1%} ({rate.low:.1%} to {rate.high:.1%})"
