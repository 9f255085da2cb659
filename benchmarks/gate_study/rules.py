"""Promotion rules: each gives a score, and accepts challengers with a score above a threshold."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.stats import t as student_t

from housectl.contract.recipe import DEFAULT_GATE
from housectl.fold_difference import corrected_error
from housectl.verdict import CHAMPION_LEVEL
from housectl_trainer.subset import Floats, Indices

HELD_OUT_BLOCKS = 20
_ROPE = 0.01
_RESAMPLES = 1_000


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Errors of a challenger minus those of the champion; negative if the challenger is better.

    Attributes:
        champion_mse: The champion's MSE over the gate's folds.
        folds: `(repeats, folds)` differences of fold MSEs: the gate's own repeats, then further
            repeats with model seeds of their own.
        rows: `(n,)` differences of the squared out-of-fold error of each training row, averaged
            over the gate's own repeats.
        holdout: `(n,)` differences of the squared error of each held-out row.
    """

    champion_mse: float
    folds: Floats
    rows: Floats
    holdout: Floats

    @property
    def own_folds(self) -> Floats:
        """Differences over the gate's own folds."""
        return self.folds[: DEFAULT_GATE.repeats]

    @property
    def is_lower(self) -> bool:
        """True if the challenger has the lower error on the held-out rows."""
        return bool(self.holdout.mean() < 0)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A promotion rule.

    Attributes:
        key: True if the rule also requires a lower error on the held-out rows.
        further: True if the rule needs further repeats, with model seeds of their own.
        score: The certainty that the challenger is better.
    """

    name: str
    key: bool = True
    further: bool = False
    score: Callable[[Pair], float]

    def value(self, pair: Pair) -> float:
        """Return the score, or minus infinity if the held-out rows are against the challenger."""
        return self.score(pair) if pair.is_lower or not self.key else -math.inf


def corrected_t(differences: Floats, *, margin: float = 0.0) -> float:
    """Return Nadeau and Bengio's t of the improvement beyond a margin; high if it is large."""
    error = corrected_error(differences.ravel().tolist(), folds=DEFAULT_GATE.folds)
    return float(-differences.mean() - margin) / error


def paired_t(differences: Floats) -> float:
    """Return Student's t of the improvement; high if it is large."""
    error = differences.std(ddof=1) / math.sqrt(len(differences))
    return float(-differences.mean() / error)


def block_means(differences: Floats, *, blocks: int = HELD_OUT_BLOCKS) -> Floats:
    """Return the mean of each block of rows."""
    return np.array([block.mean() for block in np.array_split(differences, blocks)])


def fold_probability(differences: Floats, *, margin: float = 0.0) -> float:
    """Return the probability that the challenger is better by a margin, over repeated folds."""
    value = corrected_t(differences, margin=margin)
    return float(student_t.cdf(value, differences.size - 1))


def _bootstrap(differences: Floats) -> float:
    """Return the improvement in standard errors of its mean over resamples of the rows."""
    means = differences[_resamples(len(differences))].mean(axis=1)
    return float(-means.mean() / means.std(ddof=1))


@cache
def _resamples(rows: int) -> Indices:
    return np.random.default_rng(rows).integers(rows, size=(_RESAMPLES, rows))


def _combined(pair: Pair, *, weight: float) -> float:
    """Return Stouffer's sum of two t values; the weight is that of the held-out rows."""
    folds, holdout = corrected_t(pair.own_folds), paired_t(block_means(pair.holdout))
    return (folds + weight * holdout) / math.hypot(1, weight)


def _fisher(pair: Pair) -> float:
    """Return minus the logarithm of the product of both p-values."""
    holdout = block_means(pair.holdout)
    logarithms = (
        student_t.logsf(corrected_t(pair.own_folds), pair.own_folds.size - 1),
        student_t.logsf(paired_t(holdout), len(holdout) - 1),
    )
    return -float(sum(logarithms))


TODAY_THRESHOLD = 1 - CHAMPION_LEVEL
TODAY = Rule(name="the gate", score=lambda pair: fold_probability(pair.own_folds))

RULES: Sequence[Rule] = (
    TODAY,
    Rule(
        name="twice the repeats (100 folds)",
        further=True,
        score=lambda pair: fold_probability(pair.folds),
    ),
    Rule(
        name="a model seed for each repeat",
        further=True,
        score=lambda pair: fold_probability(pair.folds[DEFAULT_GATE.repeats :]),
    ),
    Rule(
        name="Bayesian t-test, region of practical equivalence 1 %",
        score=lambda pair: fold_probability(pair.own_folds, margin=_ROPE * pair.champion_mse),
    ),
    Rule(
        name="bootstrap of out-of-fold rows",
        score=lambda pair: _bootstrap(pair.rows),
    ),
    Rule(
        name="bootstrap of out-of-fold and held-out rows",
        key=False,
        score=lambda pair: _bootstrap(np.concatenate([pair.rows, pair.holdout])),
    ),
    Rule(
        name="folds alone",
        key=False,
        score=lambda pair: fold_probability(pair.own_folds),
    ),
    Rule(
        name="combined p-value, equal weights",
        key=False,
        score=lambda pair: _combined(pair, weight=1),
    ),
    Rule(
        name="combined p-value, folds weigh double",
        key=False,
        score=lambda pair: _combined(pair, weight=0.5),
    ),
    Rule(name="combined p-value, Fisher", key=False, score=_fisher),
)
