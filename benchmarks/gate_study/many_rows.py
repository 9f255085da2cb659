"""Worlds with many rows, in which gates with fewer folds are compared.

Their models are ridge regressions on random features, because trees would take days.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

import numpy as np

from benchmarks.gate_study.candidates import BAD_RATIO, RATIOS, Role
from benchmarks.gate_study.cases import CASES
from benchmarks.gate_study.evidence import simulated_evidence
from benchmarks.gate_study.material import Pairing
from benchmarks.gate_study.process import Process, make_process
from benchmarks.gate_study.random_features import FeatureMap, MappedRows, RidgePath, Shape
from housectl.contract.evidence import Evidence
from housectl.contract.recipe import DEFAULT_GATE, GateFolds
from housectl.contract.record import Record
from housectl.verdict import Gate, judge
from housectl_trainer.folds import Fold, gate_folds
from housectl_trainer.subset import DataSubset, Floats, Indices

SIZES = (400, 2_000, 10_000, 100_000)
"""Numbers of training rows: the smallest of each gate, and the number of the other worlds."""

GATES = (DEFAULT_GATE, GateFolds(repeats=2), GateFolds(repeats=1), GateFolds(repeats=1, folds=5))

SLIGHTLY_BETTER = "slightly better"
"""Role of a model with a small improvement, which has no goal."""

_SLIGHTLY_BETTER_RATIO = 0.97
_COSTLY_ROWS = 50_000
_POPULATION_ROWS = 10_000
_TRUTH_ROWS = 10_000
_MOST_TRAININGS = 20
_BISECTIONS = 20
_FEATURES = 120
_OTHER_FEATURES = 70
_PENALTIES = np.logspace(-6, 3, 19)
_MARGIN = 1.02
_SEED = 42

# Ratio of each model's true MSE to the champion's.
_WANTED: Mapping[str, float] = {
    Role.CHAMPION: 1.0,
    Role.BAD_CHAMPION: BAD_RATIO * RATIOS[Role.BETTER],
    **{role.value: ratio for role, ratio in RATIOS.items()},
    SLIGHTLY_BETTER: _SLIGHTLY_BETTER_RATIO,
}
_CHAMPIONS = (Role.CHAMPION, Role.BAD_CHAMPION)
_CHALLENGERS = tuple(role for role in _WANTED if role not in _CHAMPIONS)

PAIRS: Mapping[str, Sequence[tuple[str, str]]] = {
    **{case.name: case.pairs for case in CASES},
    f"{_SLIGHTLY_BETTER_RATIO} of the MSE": ((SLIGHTLY_BETTER, Role.CHAMPION),),
}
"""Challenger and champion of each case."""


class ModelErrors(Record, kw_only=True):
    """Errors of one model.

    Attributes:
        true_mse: MSE on all possible rows, over all noise and training samples.
        fold_mses: By gate, in the order of the measured gates.
    """

    true_mse: float
    holdout_mse: float
    fold_mses: tuple[tuple[float, ...], ...]


class ManyRowsWorld(Record, kw_only=True):
    """Errors of the models of one world, by role.

    Attributes:
        rows: Number of training rows.
    """

    rows: int
    models: dict[str, ModelErrors]

    def ratio(self, challenger: str, champion: str) -> float:
        """Return the ratio of two true MSEs."""
        return self.models[challenger].true_mse / self.models[champion].true_mse

    def is_promoted(self, challenger: str, champion: str, gate: GateFolds) -> bool:
        """Return the verdict with a gate."""
        index = measured_gates(self.rows).index(gate)
        new, old = (_evidence(self.models[role], index, gate) for role in (challenger, champion))
        return judge(new, old, gate=Gate.HOLDOUT_AND_CV).accepted


def measured_gates(rows: int) -> Sequence[GateFolds]:
    """Return the gates that are compared; many folds of many rows would cost too much."""
    return GATES[2:] if rows > _COSTLY_ROWS else GATES


def measure_many_rows(rows: int, number: int) -> ManyRowsWorld:
    """Measure the models of a world, on the trainer's folds."""
    rng = np.random.default_rng([2005, rows, number])
    population = _Population.draw(make_process(rng, heavy_tails=number % 4 == 3), rng)
    maps = _draw_maps(Pairing.of(number), population, rng)
    penalties = _choose_penalties(*_measure_truths(population, maps, rows, rng))
    checks = _measure_truths(population, maps, rows, rng)
    training, holdout = population.sample(rows, rng), population.sample(rows // 4, rng)
    models: dict[str, ModelErrors] = {}
    for mapped, chosen, check in zip(maps, penalties, checks, strict=True):
        errors = _Errors.measure(mapped, list(chosen.values()), training, holdout)
        models |= {
            role: ModelErrors(
                true_mse=check.mse(penalty),
                holdout_mse=float(errors.holdout[index]),
                fold_mses=tuple(tuple(each[:, index].tolist()) for each in errors.folds),
            )
            for index, (role, penalty) in enumerate(chosen.items())
        }
    return ManyRowsWorld(rows=rows, models=models)


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """Rows of a population, with their targets."""

    indices: Indices
    targets: Floats


@dataclass(frozen=True, kw_only=True)
class _Population:
    """A finite number of rows, so that true errors are exact sums; targets have new noise.

    Attributes:
        expected: Expected target of each row.
        deviations: Standard deviation of the noise of each row.
    """

    process: Process
    rows: Floats
    expected: Floats
    deviations: Floats

    @classmethod
    def draw(cls, process: Process, rng: np.random.Generator) -> "_Population":
        """Draw the rows."""
        rows = process.sample(_POPULATION_ROWS, rng).rows
        return cls(
            process=process,
            rows=rows,
            expected=process.function(rows),
            deviations=process.deviation(rows),
        )

    def sample(self, count: int, rng: np.random.Generator) -> _Sample:
        """Draw rows with replacement."""
        indices = rng.integers(len(self.rows), size=count)
        noise = self.process.noise(count, rng)
        targets = self.expected[indices] + self.deviations[indices] * noise
        return _Sample(indices=indices, targets=targets)


@dataclass(frozen=True, kw_only=True)
class _MappedPopulation:
    """Random features of a population.

    Attributes:
        products, targets: Means of the products of two features, and of a feature and the expected
            target.
        noise: True MSE of a model that predicts 0, minus the contribution of the weights.
    """

    features: Floats
    products: Floats
    targets: Floats
    noise: float

    @classmethod
    def of(cls, feature_map: FeatureMap, population: _Population) -> "_MappedPopulation":
        """Map all rows."""
        features = feature_map.apply(population.rows)
        noise = np.mean(population.expected**2 + population.deviations**2)
        return cls(
            features=features,
            products=features.T @ features / len(features),
            targets=features.T @ population.expected / len(features),
            noise=float(noise),
        )

    def take(self, sample: _Sample) -> MappedRows:
        """Return the features of a sample."""
        return MappedRows(features=self.features[sample.indices], targets=sample.targets)

    def true_mse(self, weights: Floats) -> float:
        """Return the MSE of a model over all rows and all noise."""
        return float(weights @ (self.products @ weights - 2 * self.targets)) + self.noise


@dataclass(frozen=True, kw_only=True)
class _Truth:
    """True errors of the models of one feature map: the mean over several training samples."""

    mapped: _MappedPopulation
    paths: Sequence[RidgePath]

    def mse(self, penalty: float) -> float:
        """Return the true MSE with a penalty."""
        return fmean(self.mapped.true_mse(path.weights(penalty)) for path in self.paths)

    @cached_property
    def best_penalty(self) -> float:
        """The penalty with the lowest error."""
        return float(min(_PENALTIES, key=self.mse))

    def penalty_at(self, mse: float) -> float:
        """Return the penalty with a true MSE, by bisection; errors rise with the penalty."""
        low, high = np.log(self.best_penalty), np.log(_PENALTIES[-1])
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            low, high = (low, middle) if self.mse(np.exp(middle)) > mse else (middle, high)
        return float(np.exp(low))


def _measure_truths(
    population: _Population,
    maps: Iterable[_MappedPopulation],
    rows: int,
    rng: np.random.Generator,
) -> list[_Truth]:
    """Draw training samples; models of many rows depend little on theirs."""
    count = max(1, min(_MOST_TRAININGS, _TRUTH_ROWS // rows))
    samples = [population.sample(rows, rng) for _ in range(count)]
    return [
        _Truth(mapped=each, paths=[RidgePath.of(each.take(sample).moments) for sample in samples])
        for each in maps
    ]


@dataclass(frozen=True, kw_only=True)
class _Errors:
    """Errors of some models with the same feature map.

    Attributes:
        holdout: `(models,)` MSEs on the held-out rows.
        folds: By gate, `(folds, models)` MSEs.
    """

    holdout: Floats
    folds: Sequence[Floats]

    @classmethod
    def measure(
        cls,
        mapped: _MappedPopulation,
        penalties: Sequence[float],
        training: _Sample,
        holdout: _Sample,
    ) -> "_Errors":
        """Measure models on the folds of all gates."""
        rows = mapped.take(training)
        total = rows.moments
        subset = DataSubset(rows=rows.features, targets=rows.targets, groups=None)

        def fold_mses(fold: Fold) -> Floats:
            testing = rows.take(fold[1])
            return testing.mses(total.without(testing.moments).weights(penalties))

        gates = measured_gates(len(subset))
        # The repeats of a gate are the first repeats of a gate with more repeats.
        ten, five = (
            np.array([fold_mses(each) for each in gate_folds(subset, seed=_SEED, gate=gate)])
            for gate in (gates[0], gates[-1])
        )
        return cls(
            holdout=mapped.take(holdout).mses(total.weights(penalties)),
            folds=[*(ten[: gate.total] for gate in gates[:-1]), five],
        )


def _draw_maps(
    kind: Pairing, population: _Population, rng: np.random.Generator
) -> list[_MappedPopulation]:
    """Return the random features of champions and of challengers."""
    features = _OTHER_FEATURES if kind is Pairing.PARAMETERS else _FEATURES
    shape = Shape.STEP if kind is Pairing.FAMILY else Shape.WAVE
    columns = population.process.features
    maps = (
        FeatureMap.draw(Shape.WAVE, columns=columns, features=_FEATURES, rng=rng),
        FeatureMap.draw(shape, columns=columns, features=features, rng=rng),
    )
    return [_MappedPopulation.of(each, population) for each in maps]


def _choose_penalties(champions: _Truth, challengers: _Truth) -> list[dict[str, float]]:
    """Return the penalties of champions and of challengers, by role, for the wanted true MSEs."""
    old, new = (each.mse(each.best_penalty) for each in (champions, challengers))
    level = _MARGIN * max(old, new / RATIOS[Role.BETTER])
    return [
        {role: truth.penalty_at(_WANTED[role] * level) for role in roles}
        for truth, roles in ((champions, _CHAMPIONS), (challengers, _CHALLENGERS))
    ]


def _evidence(model: ModelErrors, index: int, gate: GateFolds) -> Evidence:
    return simulated_evidence(
        holdout_mse=model.holdout_mse, fold_mses=model.fold_mses[index], gate=gate
    )
