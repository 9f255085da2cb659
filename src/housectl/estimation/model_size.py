"""Largest size of the models of a search space. Pure."""

import math

from housectl.contract.families import Family
from housectl.experiment import SearchSpace

LARGE_BYTES = 100e6
"""Size above which a bundle delays the start of a server by a second or more."""

SMALLER_MODELS_HINT = (
    "housectl tune --family xgboost --space default   "
    "# or set max_leaf_nodes or min_samples_leaf of the forest, under `space:`"
)

# Bytes of a leaf and its split: 33 in the graph, and the rest in the library's own file.
_FOREST_LEAF_BYTES = 177
_XGBOOST_LEAF_BYTES = 105
# Part of the rows that a bootstrap sample of as many rows contains.
_BOOTSTRAP = 1 - 1 / math.e


def largest_model_bytes(family: Family, space: SearchSpace, *, rows: int) -> float:
    """Return the largest size of a model, in bytes; 0 for a family without trees.

    Args:
        family: The family.
        space: Its search space.
        rows: Number of training rows.
    """
    match family:
        case Family.RANDOM_FOREST:
            return _FOREST_LEAF_BYTES * _trees(family, space) * _forest_leaves(space, rows)
        case Family.XGBOOST:
            trees = _trees(family, space) * _largest(space, "num_parallel_tree", 1)
            return _XGBOOST_LEAF_BYTES * trees * _xgboost_leaves(space, rows)
        case _:
            return 0.0


def _trees(family: Family, space: SearchSpace) -> float:
    return _largest(space, "n_estimators", family.definition.library_defaults["n_estimators"])


def _forest_leaves(space: SearchSpace, rows: int) -> float:
    sampled = _largest(space, "max_samples", 1.0) * rows
    return min(
        _largest(space, "max_leaf_nodes", math.inf),
        2 ** min(_largest(space, "max_depth", math.inf), 64),
        # Rows of a bootstrap sample that occur several times share a leaf.
        sampled * _BOOTSTRAP,
        sampled / _smallest(space, "min_samples_leaf", 1),
    )


def _xgboost_leaves(space: SearchSpace, rows: int) -> float:
    """Return the number of leaves of a tree; 0 stands for no limit in XGBoost."""
    depth = _largest(space, "max_depth", 6) or math.inf
    leaves = _largest(space, "max_leaves", 0) or math.inf
    return min(leaves, 2 ** min(depth, 64), rows)


def _largest(space: SearchSpace, name: str, default: object) -> float:
    return max(_bounds(space, name, default))


def _smallest(space: SearchSpace, name: str, default: object) -> float:
    return min(_bounds(space, name, default))


def _bounds(space: SearchSpace, name: str, default: object) -> list[float]:
    """Return the values that bound a parameter: its ends, its numeric choices or its constant."""
    for parameter in space.parameters:
        if parameter.name == name:
            bounds = (parameter.minimum, parameter.maximum, *parameter.choices)
            return [float(value) for value in bounds if isinstance(value, int | float)]
    value = space.fixed.get(name, default)
    return [float(value)] if isinstance(value, int | float) else [math.inf]
