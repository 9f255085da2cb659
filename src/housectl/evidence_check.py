"""Check of evidence: a model's held-out error is measured again, with its own graph."""

import math
from dataclasses import dataclass

from housectl.contract.bundle import Bundle
from housectl.contract.evidence import Evidence
from housectl.contract.inputs import Inputs
from housectl.contract.recipe import Recipe
from housectl.contract.schema import Transform
from housectl.contract.scorer import open_bundle
from housectl.contract.usable_data import UsableData, read_usable_data
from housectl.errors import EvidenceError

_ROUNDING = 1e-12


@dataclass(frozen=True)
class _HoldoutError:
    """A model's error on the held-out rows, and the largest deviation of a correct record."""

    mse: float
    tolerance: float

    def equals(self, recorded: float) -> bool:
        return abs(recorded - self.mse) <= self.tolerance


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
    if not holdout.equals(evidence.model.holdout_mse):
        recorded = evidence.model.holdout_mse
        raise _wrong(bundle, f"its held-out MSE is {recorded}, the model's is {holdout.mse}", hint)
    if not holdout.equals(bundle.holdout_mse):
        cause = f"metrics.json has the held-out MSE {bundle.holdout_mse}, the model {holdout.mse}"
        raise _wrong(bundle, cause, "housectl tune   # seals another model")


def _measure(bundle: Bundle, data: UsableData) -> _HoldoutError:
    recipe = bundle.record.recipe
    columns = [data.table.numbers[name] for name in recipe.features]
    targets = data.table.numbers[recipe.target]
    rows = [[column[index] for column in columns] for index in data.split.holdout]
    predictions = open_bundle(bundle).predict(rows)
    pairs = zip(predictions, data.split.holdout, strict=True)
    mse = _mean_square([prediction - targets[index] for prediction, index in pairs])
    bound = _prediction_bound(recipe, [targets[i] for i in data.split.training], predictions)
    return _HoldoutError(mse, 2 * bound * math.sqrt(mse) + bound**2 + _ROUNDING * mse)


def _prediction_bound(recipe: Recipe, targets: list[float], predictions: list[float]) -> float:
    """Return the largest difference between a prediction and the trained model's."""
    bound = recipe.family.definition.parity_bound
    largest = max(map(abs, [*targets, *predictions]))
    absolute = bound * _deviation(targets) + _ROUNDING * largest
    if recipe.transform is not Transform.LOG:
        return absolute
    logarithms = [math.log(target) for target in targets]
    # A difference of logarithms is a relative difference.
    return absolute + (bound * _deviation(logarithms) + _ROUNDING) * largest


def _deviation(values: list[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(_mean_square([value - mean for value in values]))


def _mean_square(values: list[float]) -> float:
    return math.fsum(value**2 for value in values) / len(values)


def _wrong(bundle: Bundle, cause: str, hint: str) -> EvidenceError:
    return EvidenceError(f"The evidence of version {bundle.version} is wrong: {cause}.", hint=hint)
