"""Evidence: the errors of one recipe on the gate's folds and on the held-out rows."""

from typing import Annotated

import msgspec

from housectl.contract.path_names import Digest
from housectl.contract.recipe import GATE_FOLDS, GATE_REPEATS, Recipe
from housectl.contract.record import SCHEMA_VERSION, Record, digest_of

EVIDENCE_FILE = "evidence.json"

_FOLDS = GATE_FOLDS * GATE_REPEATS
# A larger error could overflow a verdict's squares; usable data give less.
_Mse = Annotated[float, msgspec.Meta(ge=0, le=1e150)]


class Errors(Record, kw_only=True):
    """MSEs of one model, in the square of the target's unit.

    Attributes:
        fold_mses: One for each gate fold; equal positions of two recipes are pairs.
    """

    holdout_mse: _Mse
    fold_mses: Annotated[tuple[_Mse, ...], msgspec.Meta(min_length=_FOLDS, max_length=_FOLDS)]


class Evidence(Record, kw_only=True):
    """The errors of a recipe and of two baselines; a verdict compares the evidence of two recipes.

    Attributes:
        bundle: Digest of the bundle that was measured; None until the bundle is written.
        holdout_rows: sha256 of the held-out rows' contents; only equal rows are comparable.
        mean, linear: The errors of predicting the mean, and of a linear model.
    """

    schema_version: int = SCHEMA_VERSION
    recipe: Recipe
    bundle: Digest | None = None
    holdout_rows: Digest
    model: Errors
    mean: Errors
    linear: Errors

    @property
    def key(self) -> str:
        """The key under which the store keeps this evidence."""
        return evidence_key(self.recipe)


def evidence_key(recipe: Recipe) -> str:
    """Return the digest of a recipe and of the gate's folds: equal keys, equal evidence."""
    return digest_of({"recipe": recipe, "folds": GATE_FOLDS, "repeats": GATE_REPEATS})
