"""The folds of the training rows: those of the objective, and those of the gate."""

from housectl.contract.recipe import GATE_FOLDS, GATE_REPEATS, OBJECTIVE_FOLDS, derived_seed
from housectl_trainer.subset import DataSubset, Indices

Fold = tuple[Indices, Indices]


def objective_folds(subset: DataSubset, *, seed: int) -> list[Fold]:
    """Return the folds of the objective."""
    return _folds(subset, OBJECTIVE_FOLDS, derived_seed(seed, "objective"))


def gate_folds(subset: DataSubset, *, seed: int) -> list[Fold]:
    """Return the gate's folds, which the search never uses."""
    return [
        fold
        for repeat in range(GATE_REPEATS)
        for fold in _folds(subset, GATE_FOLDS, derived_seed(seed, f"gate/{repeat}"))
    ]


def _folds(subset: DataSubset, folds: int, seed: int) -> list[Fold]:
    from sklearn.model_selection import GroupKFold, KFold

    splitter = KFold if subset.groups is None else GroupKFold
    shuffled = splitter(folds, shuffle=True, random_state=seed)
    return list(shuffled.split(subset.rows, groups=subset.groups))
