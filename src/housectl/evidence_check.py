"""Check of evidence: a model's held-out error is measured again, with its own graph."""

import math
from dataclasses import dataclass

import numpy as np
from msgspec import UNSET, UnsetType

from housectl.contract.bundle import Bundle
from housectl.contract.data.usable_data import UsableData, read_usable_data
from housectl.contract.evidence import Evidence
from housectl.contract.inputs import Inputs
from housectl.contract.recipe import Recipe
from housectl.contract.schema import Transform
from housectl.contract.scorer import Scorer, open_bundle
from housectl.errors import EvidenceError

_ROUNDING = 1e-12
_BLOCK_ROWS = 2**14


@dataclass(frozen=True)
class _Measured:
    """A measured value, and the largest deviation of a correct record."""

    value: float
    tolerance: float

    def equals(self, recorded: float | UnsetType) -> bool:
        """Return True if a record has this value; evidence of format 1 lacks some values."""
        return recorded is UNSET or abs(recorded - self.value) <= self.tolerance


@dataclass(frozen=True, kw_only=True)
class _Holdout:
    """A model's errors on the held-out rows, and the variance of their targets."""

    mse: _Measured
    mae: _Measured
    variance: _Measured


def check_evidence(bundle: Bundle, evidence: Evidence, inputs: Inputs, *, hint: str) -> None:
    """Check evidence and metrics of a bundle against the predictions of its graph.

    Args:
        bundle: Bundle whose golden rows are repeated, too.
        evidence: Evidence of the bundle's recipe.
        inputs: Inputs of the bundle's recipe.
        hint: Command that removes wrong evidence.

    Raises:
        EvidenceError: The evidence is of another recipe or of other rows, or has another error.
        BundleError: The graph is invalid, or does not reproduce its golden rows.
    """
    shared = inputs.shared
    data = read_usable_data(inputs.data, shared.schema, split=shared.split, seed=shared.seed)
    holdout = _measure(bundle, data)
    if evidence.recipe != bundle.record.recipe:
        raise _wrong(bundle, "it is of another recipe", hint)
    if evidence.holdout_rows != data.holdout_digest:
        raise _wrong(bundle, "it was measured on other held-out rows", hint)
    for name, recorded, measured in (
        ("MSE", evidence.model.holdout_mse, holdout.mse),
        ("MAE", evidence.model.holdout_mae, holdout.mae),
        ("target variance", evidence.holdout_variance, holdout.variance),
    ):
        if not measured.equals(recorded):
            cause = f"its held-out {name} is {recorded}, the model's is {measured.value}"
            raise _wrong(bundle, cause, hint)
    if not holdout.mse.equals(bundle.holdout_mse):
        mse = holdout.mse.value
        cause = f"metrics.json has the held-out MSE {bundle.holdout_mse}, the model {mse}"
        raise _wrong(bundle, cause, "housectl tune   # seals another model")


def _measure(bundle: Bundle, data: UsableData) -> _Holdout:
    recipe = bundle.record.recipe
    targets = data.table.numbers[recipe.target]
    predictions = _predict(open_bundle(bundle), recipe, data)
    bound = _prediction_bound(recipe, [targets[i] for i in data.split.training], predictions)
    return _holdout(predictions, [targets[index] for index in data.split.holdout], bound)


def _predict(scorer: Scorer, recipe: Recipe, data: UsableData) -> list[float]:
    """Return the predictions for the held-out rows; blocks need little memory."""
    columns = [np.frombuffer(data.table.numbers[name]) for name in recipe.features]
    holdout = np.array(data.split.holdout)
    predictions: list[float] = []
    for start in range(0, len(holdout), _BLOCK_ROWS):
        block = holdout[start : start + _BLOCK_ROWS]
        rows = np.column_stack([column[block] for column in columns])
        predictions += scorer.predict(rows)
    return predictions


def _prediction_bound(recipe: Recipe, targets: list[float], predictions: list[float]) -> float:
    """Return the largest difference between a prediction and the trained model's."""
    bound = recipe.family.definition.parity_bound
    largest = max(map(abs, [*targets, *predictions]))
    absolute = bound * math.sqrt(_variance(targets)) + _ROUNDING * largest
    if recipe.transform is not Transform.LOG:
        return absolute
    logarithms = [math.log(target) for target in targets]
    # A difference of logarithms is a relative difference.
    return absolute + (bound * math.sqrt(_variance(logarithms)) + _ROUNDING) * largest


def _holdout(predictions: list[float], targets: list[float], bound: float) -> _Holdout:
    residuals = [new - target for new, target in zip(predictions, targets, strict=True)]
    mse = _mean([residual**2 for residual in residuals])
    mae = _mean([abs(residual) for residual in residuals])
    variance = _variance(targets)
    return _Holdout(
        mse=_Measured(mse, 2 * bound * math.sqrt(mse) + bound**2 + _ROUNDING * mse),
        mae=_Measured(mae, bound + _ROUNDING * mae),
        variance=_Measured(variance, _ROUNDING * variance),
    )


def _variance(values: list[float]) -> float:
    centre = _mean(values)
    return _mean([(value - centre) ** 2 for value in values])


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _wrong(bundle: Bundle, cause: str, hint: str) -> EvidenceError:
    return EvidenceError(f"The evidence of version {bundle.version} is wrong: {cause}.", hint=hint)
