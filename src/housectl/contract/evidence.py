"""Evidence: the errors of one recipe on the gate's folds and on the held-out rows."""

from housectl.contract.recipe import GATE_FOLDS, GATE_REPEATS, Recipe
from housectl.contract.record import SCHEMA_VERSION, Record, digest_of

EVIDENCE_FILE = "evidence.json"


class Errors(Record, kw_only=True):
    """MSEs of one model, in the square of the target's unit.

    Attributes:
        fold_mses: One per gate fold, in the folds' order: pairs with every other recipe's.
    """

    holdout_mse: float
    fold_mses: tuple[float, ...]


class Evidence(Record, kw_only=True):
    """What a verdict compares.

    Attributes:
        holdout_rows: sha256 of the held-out rows' contents, which proves that two saw the same.
        mean, linear: The errors of predicting the mean, and of a linear model.
    """

    schema_version: int = SCHEMA_VERSION
    recipe: Recipe
    holdout_rows: str
    model: Errors
    mean: Errors
    linear: Errors

    @property
    def key(self) -> str:
        """The name under which this evidence is kept."""
        return evidence_key(self.recipe)


def evidence_key(recipe: Recipe) -> str:
    """Return the digest of a recipe and of the gate's folds: equal keys, equal evidence."""
    return digest_of({"recipe": recipe, "folds": GATE_FOLDS, "repeats": GATE_REPEATS})
