"""Comparison of promotion rules: their power at the same rate of false promotions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate_study.cases import BETTER, CASES, EQUAL, pair_of
from benchmarks.gate_study.material import Material
from benchmarks.gate_study.rules import RULES, TODAY, TODAY_THRESHOLD, Pair, Rule
from benchmarks.gate_study.statistics import Rate, wilson_interval
from housectl.contract.recipe import GATE_REPEATS
from housectl_trainer.subset import Floats, Indices

_RESAMPLES = 1_000

# Pairs of one world, by the name of the case.
WorldPairs = Mapping[str, Sequence[Pair]]
# Scores of a rule, `(worlds, pairs)`, by the name of the case.
Scores = Mapping[str, Floats]


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """Rates of promotion of a rule, at the threshold that gives today's false promotions.

    Attributes:
        worlds: Number of worlds.
        rates: By the name of the case.
        gain: Additional promotions of models with 0.9 of the MSE, compared with today.
        low, high: Ends of the 90 % interval of the gain, by a bootstrap over the worlds.
    """

    rule: Rule
    worlds: int
    rates: Mapping[str, Rate]
    gain: float
    low: float
    high: float


def compare_rules(materials: Sequence[Material]) -> list[RuleResult]:
    """Return the result of each rule, on the worlds that have the errors that it needs."""
    pairs = [_pairs(material) for material in materials]
    further = [world for world in pairs if _has_further_repeats(world)]
    return [_compare(rule, further if rule.further else pairs) for rule in RULES]


def rate_of(promoted: NDArray[np.generic]) -> Rate:
    """Return a rate of promotions with its interval."""
    return wilson_interval(int(np.count_nonzero(promoted)), promoted.size)


def calibrated_threshold(scores: Floats, rate: float) -> float:
    """Return a threshold above which at most this fraction of the scores is."""
    ordered = np.sort(scores.ravel())[::-1]
    return float(ordered[min(round(rate * scores.size), scores.size - 1)])


def _pairs(material: Material) -> WorldPairs:
    return {case.name: [pair_of(material, *roles) for roles in case.pairs] for case in CASES}


def _has_further_repeats(world: WorldPairs) -> bool:
    return len(world[EQUAL.name][0].folds) > GATE_REPEATS


def _compare(rule: Rule, worlds: Sequence[WorldPairs]) -> RuleResult:
    scores, today = _scores(rule, worlds), _scores(TODAY, worlds)
    threshold = _threshold(scores, today)
    samples = np.random.default_rng(0).integers(len(worlds), size=(_RESAMPLES, len(worlds)))
    gains = [_gain(_sample(scores, chosen), _sample(today, chosen)) for chosen in samples]
    return RuleResult(
        rule=rule,
        worlds=len(worlds),
        rates={name: rate_of(values > threshold) for name, values in scores.items()},
        gain=_gain(scores, today),
        low=float(np.quantile(gains, 0.05)),
        high=float(np.quantile(gains, 0.95)),
    )


def _scores(rule: Rule, worlds: Sequence[WorldPairs]) -> Scores:
    return {
        case.name: np.array([[rule.value(pair) for pair in world[case.name]] for world in worlds])
        for case in CASES
    }


def _threshold(scores: Scores, today: Scores) -> float:
    """Return the threshold that promotes as many equal models as today."""
    return calibrated_threshold(scores[EQUAL.name], _rate(today[EQUAL.name], TODAY_THRESHOLD))


def _gain(scores: Scores, today: Scores) -> float:
    """Return the gain in power; today's threshold is calibrated too, so that it has no handicap."""
    power = _rate(scores[BETTER.name], _threshold(scores, today))
    return power - _rate(today[BETTER.name], _threshold(today, today))


def _rate(scores: Floats, threshold: float) -> float:
    return float((scores > threshold).mean())


def _sample(scores: Scores, worlds: Indices) -> Scores:
    return {name: scores[name][worlds] for name in (EQUAL.name, BETTER.name)}
