"""Evidence of a simulated model, as the gate's own verdict needs it."""

from collections.abc import Sequence

from housectl.contract.evidence import Errors, Evidence
from housectl.contract.families import Family
from housectl.contract.recipe import DEFAULT_GATE, GateFolds, Recipe, Split


def simulated_evidence(
    *, holdout_mse: float, fold_mses: Sequence[float], gate: GateFolds = DEFAULT_GATE
) -> Evidence:
    """Return a model's evidence; its baselines play no part in a comparison with a champion."""
    errors = Errors(holdout_mse=holdout_mse, fold_mses=tuple(fold_mses))
    recipe = Recipe(
        family=Family.XGBOOST,
        assignment={},
        data="0" * 64,
        features=(),
        target="y",
        split=Split(),
        seed=0,
        libraries={},
        gate=gate,
    )
    return Evidence(recipe=recipe, holdout_rows="0" * 64, model=errors, mean=errors, linear=errors)
