"""Comparison of promotion rules: their power at the same rate of false promotions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate_study.candidates import Role
from benchmarks.gate_study.cases import BETTER, CASES, EQUAL, for_each_pair, pair_of
from benchmarks.gate_study.material import Material
from benchmarks.gate_study.rules import RULES, TODAY, TODAY_THRESHOLD, Rule
from benchmarks.gate_study.statistics import Rate, wilson_interval
from housectl_trainer.subset import Floats, Indices

_RESAMPLES = 1_000

# Scores of a rule, `(worlds, pairs)`, by the name of the case.
Scores = Mapping[str, Floats]


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """Rates of promotion of a rule, with the threshold that gives today's false promotions.

    Attributes:
        worlds: Number of worlds.
        rates: By the name of the case.
        gain: Additional promotions of models with 0.9 of the MSE, compared with today.
        low, high: Ends of the 90 % interval of the gain, by a bootstrap over the worlds.
    """

    rule: Rule
    worlds: int
    threshold: float
    rates: Mapping[str, Rate]
    gain: float
    low: float
    high: float


def compare_rules(materials: Sequence[Material]) -> list[RuleResult]:
    """Return the result of each rule."""
    return [_compare(rule, materials) for rule in RULES]


def rate_of(promoted: NDArray[np.generic]) -> Rate:
    """Return a rate of promotions with its interval."""
    return wilson_interval(int(np.count_nonzero(promoted)), promoted.size)


def calibrated_threshold(scores: Floats, rate: float) -> float:
    """Return a threshold above which at most this fraction of the scores is."""
    ordered = np.sort(scores.ravel())[::-1]
    return float(ordered[min(round(rate * scores.size), scores.size - 1)])


def _compare(rule: Rule, materials: Sequence[Material]) -> RuleResult:
    """Compare a rule with today's, on the worlds that have the errors that it needs."""
    usable = [each for each in materials if each.has_further_repeats or not rule.further]
    scores, today = _scores(rule, usable), _scores(TODAY, usable)
    threshold = TODAY_THRESHOLD if rule is TODAY else _threshold(scores, today)
    samples = np.random.default_rng(0).integers(len(usable), size=(_RESAMPLES, len(usable)))
    gains = [_gain(_sample(scores, worlds), _sample(today, worlds)) for worlds in samples]
    return RuleResult(
        rule=rule,
        worlds=len(usable),
        threshold=threshold,
        rates={name: rate_of(values > threshold) for name, values in scores.items()},
        gain=0.0 if rule is TODAY else _gain(scores, today),
        low=float(np.quantile(gains, 0.05)),
        high=float(np.quantile(gains, 0.95)),
    )


def _scores(rule: Rule, materials: Sequence[Material]) -> Scores:
    def score(material: Material, challenger: Role, champion: Role) -> float:
        return rule.value(pair_of(material, challenger, champion))

    return {case.name: for_each_pair(materials, case, score) for case in CASES}


def _threshold(scores: Scores, today: Scores) -> float:
    return calibrated_threshold(scores[EQUAL.name], _rate(today[EQUAL.name], TODAY_THRESHOLD))


def _gain(scores: Scores, today: Scores) -> float:
    power = _rate(scores[BETTER.name], _threshold(scores, today))
    return power - _rate(today[BETTER.name], TODAY_THRESHOLD)


def _rate(scores: Floats, threshold: float) -> float:
    return float((scores > threshold).mean())


def _sample(scores: Scores, worlds: Indices) -> Scores:
    return {name: scores[name][worlds] for name in (EQUAL.name, BETTER.name)}
