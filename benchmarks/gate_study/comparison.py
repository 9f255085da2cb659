"""Comparison of promotion rules: their power at the same rate of false promotions.

No rule is judged by the worlds that chose its threshold. One half of the worlds chooses it, and the
other half measures the rule. This is repeated for random halves and averaged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate_study.cases import BETTER, CASES, EQUAL, Case, pair_of
from benchmarks.gate_study.material import Material
from benchmarks.gate_study.rules import RULES, TODAY, TODAY_THRESHOLD, Pair, Rule
from benchmarks.gate_study.statistics import Rate, wilson_interval
from housectl.contract.recipe import DEFAULT_GATE
from housectl_trainer.subset import Floats, Indices

COMPARED_RULES = len(RULES) - 1
_DIVISIONS = 20
_RESAMPLES = 2_000
_LEVEL = 0.9

# Pairs of one world, by the name of the case.
WorldPairs = Mapping[str, Sequence[Pair]]
# Scores of a rule, `(worlds, pairs)`, by the name of the case.
Scores = Mapping[str, Floats]


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """Rates of promotion of a rule, in halves of the worlds that did not choose its threshold.

    Attributes:
        worlds: Number of worlds.
        rates: By the name of the case.
        gain: Additional promotions of models with 0.9 of the MSE, compared with today's rule.
        low, high: Ends of the interval of the gain, by a bootstrap over the worlds. All intervals
            are true together with a probability of 90 % (Bonferroni).
    """

    rule: Rule
    worlds: int
    rates: Mapping[str, float]
    gain: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Halves:
    """Random divisions of the worlds in halves.

    Attributes:
        divisions: `(divisions, worlds)`; True if a world belongs to the half that chooses the
            threshold. Each division is there in both directions.
        rate: Wanted rate of promotions of equal models.
    """

    divisions: NDArray[np.bool_]
    rate: float

    @classmethod
    def draw(cls, worlds: int, *, rate: float) -> "Halves":
        """Draw the divisions."""
        rng = np.random.default_rng(0)
        halves = [rng.permutation(worlds) < worlds // 2 for _ in range(_DIVISIONS)]
        return cls(divisions=np.array([*halves, *(~half for half in halves)]), rate=rate)

    def rates(self, scores: Scores, case: Case, counts: Indices) -> Floats:
        """Return the mean rates of promotion in the halves that do not choose the threshold.

        Args:
            counts: `(resamples, worlds)`: how often a resample has a world. All copies of a world
                belong to the same half.
        """
        measured = [
            _rates(
                scores[case.name][~half],
                counts[:, ~half],
                thresholds(scores[EQUAL.name][half], counts[:, half], self.rate),
            )
            for half in self.divisions
        ]
        average: Floats = np.mean(measured, axis=0)
        return average


def compare_rules(materials: Sequence[Material]) -> list[RuleResult]:
    """Return the result of each rule, on the worlds that have the errors that it needs."""
    pairs = [_pairs(material) for material in materials]
    further = [world for world in pairs if _has_further_repeats(world)]
    return [_compare(rule, further if rule.further else pairs) for rule in RULES]


def rate_of(promoted: NDArray[np.generic]) -> Rate:
    """Return a rate of promotions with its interval."""
    return wilson_interval(int(np.count_nonzero(promoted)), promoted.size)


def thresholds(scores: Floats, counts: Indices, rate: float) -> Floats:
    """Return thresholds above which at most this fraction of the scores is.

    Args:
        scores: `(worlds, pairs)`.
        counts: `(resamples, worlds)`: how often a resample has a world.
    """
    order = np.argsort(-scores, axis=None)
    above = np.cumsum(np.repeat(counts, scores.shape[1], axis=1)[:, order], axis=1)
    first = (above > np.round(rate * above[:, -1:])).argmax(axis=1)
    chosen: Floats = scores.ravel()[order][first]
    return chosen


def _pairs(material: Material) -> WorldPairs:
    return {case.name: [pair_of(material, *roles) for roles in case.pairs] for case in CASES}


def _has_further_repeats(world: WorldPairs) -> bool:
    return len(world[EQUAL.name][0].folds) > DEFAULT_GATE.repeats


def _compare(rule: Rule, worlds: Sequence[WorldPairs]) -> RuleResult:
    scores, today = _scores(rule, worlds), _scores(TODAY, worlds)
    halves = Halves.draw(len(worlds), rate=float((today[EQUAL.name] > TODAY_THRESHOLD).mean()))
    once = np.ones((1, len(worlds)), dtype=np.int64)
    low, high = _interval(_gains(scores, today, halves, _resamples(len(worlds))))
    return RuleResult(
        rule=rule,
        worlds=len(worlds),
        rates={case.name: float(halves.rates(scores, case, once)[0]) for case in CASES},
        gain=float(_gains(scores, today, halves, once)[0]),
        low=low,
        high=high,
    )


def _scores(rule: Rule, worlds: Sequence[WorldPairs]) -> Scores:
    return {
        case.name: np.array([[rule.value(pair) for pair in world[case.name]] for world in worlds])
        for case in CASES
    }


def _gains(scores: Scores, today: Scores, halves: Halves, counts: Indices) -> Floats:
    """Return the gains in power; today's threshold is chosen too, so that it has no handicap."""
    return halves.rates(scores, BETTER, counts) - halves.rates(today, BETTER, counts)


def _resamples(worlds: int) -> Indices:
    """Return how often each resample has each world."""
    rng = np.random.default_rng(0)
    return rng.multinomial(worlds, np.full(worlds, 1 / worlds), size=_RESAMPLES)


def _interval(gains: Floats) -> tuple[float, float]:
    """Return the ends of an interval that is one of several."""
    tail = (1 - _LEVEL) / 2 / COMPARED_RULES
    return float(np.quantile(gains, tail)), float(np.quantile(gains, 1 - tail))


def _rates(scores: Floats, counts: Indices, limits: Floats) -> Floats:
    """Return the rates of scores above the threshold of each resample."""
    promoted = (scores > limits[:, None, None]).mean(axis=2)
    rates: Floats = (promoted * counts).sum(axis=1) / counts.sum(axis=1)
    return rates
