"""Evidence: the errors of one recipe on the gate's folds and on the held-out rows."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from housectl.contract.path_names import Digest
from housectl.contract.recipe import DEFAULT_GATE, Recipe
from housectl.contract.record import Record, digest_of

EVIDENCE_FILE = "evidence.json"

# A larger error could overflow a verdict's squares; usable data give less.
_Mse = Annotated[float, msgspec.Meta(ge=0, le=1e150)]
_Mae = Annotated[float, msgspec.Meta(ge=0, le=1e75)]


@dataclass(frozen=True, kw_only=True)
class HoldoutErrors:
    """Errors of one model on the held-out rows.

    Attributes:
        mse: Mean squared error, in the square of the target's unit.
        rmse: Root of the MSE, in the target's unit.
        mae: Mean absolute error, in the target's unit; None in evidence of format 1.
        r2: Coefficient of determination: 1 is perfect, and 0 as good as the mean of these rows.
            None in evidence of format 1, and if all of these rows have the same target.
    """

    mse: float
    rmse: float
    mae: float | None
    r2: float | None


class Errors(Record, kw_only=True):
    """Errors of one model; MSEs have the square of the target's unit.

    Attributes:
        holdout_mae: Mean absolute error on the held-out rows, in the target's unit; unset in
            format 1.
        fold_mses: One for each fold of the recipe's gate; equal positions of two recipes are pairs.
    """

    holdout_mse: _Mse
    holdout_mae: _Mae | UnsetType = UNSET
    fold_mses: Annotated[tuple[_Mse, ...], msgspec.Meta(max_length=DEFAULT_GATE.total)]


class Evidence(Record, kw_only=True):
    """The errors of a recipe and of two baselines; a verdict compares the evidence of two recipes.

    Attributes:
        bundle: Digest of the bundle that was measured; None until the bundle is written.
        holdout_rows: sha256 of the held-out rows' contents; only equal rows are comparable.
        holdout_variance: Variance of the held-out targets, around their own mean; unset in
            format 1.
        mean, linear: The errors of predicting the mean, and of a linear model.
    """

    newest_version: ClassVar[int] = 2

    schema_version: int = newest_version
    recipe: Recipe
    bundle: Digest | None = None
    holdout_rows: Digest
    holdout_variance: _Mse | UnsetType = UNSET
    model: Errors
    mean: Errors
    linear: Errors

    def __post_init__(self) -> None:
        """Check that all predictors have one error for each fold of the recipe's gate."""
        folds = self.recipe.gate_folds.total
        for errors in (self.model, self.mean, self.linear):
            if len(errors.fold_mses) != folds:
                raise ValueError(f"{len(errors.fold_mses)} fold MSEs for {folds} folds")

    @property
    def key(self) -> str:
        """The key under which the store keeps this evidence."""
        return evidence_key(self.recipe)

    @property
    def model_errors(self) -> HoldoutErrors:
        """The model's errors on the held-out rows."""
        return self.holdout_errors(self.model)

    def holdout_errors(self, errors: Errors) -> HoldoutErrors:
        """Return the errors on the held-out rows of the model, the mean or the linear model."""
        return HoldoutErrors(
            mse=errors.holdout_mse,
            rmse=math.sqrt(errors.holdout_mse),
            mae=None if errors.holdout_mae is UNSET else errors.holdout_mae,
            r2=self._r2(errors.holdout_mse),
        )

    def _r2(self, mse: float) -> float | None:
        variance = self.holdout_variance
        if variance is UNSET or variance == 0:
            return None
        r2 = 1 - mse / variance
        return r2 if math.isfinite(r2) else None


def evidence_key(recipe: Recipe) -> str:
    """Return the digest of a recipe and of the gate's folds: equal keys, equal evidence."""
    gate = recipe.gate_folds
    return digest_of({"recipe": recipe, "folds": gate.folds, "repeats": gate.repeats})
