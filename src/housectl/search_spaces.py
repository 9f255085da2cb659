"""The search spaces that come with housectl, and those that a project file describes. Pure."""

from collections.abc import Mapping

from housectl.contract.parameters import PARAMETERS
from housectl.contract.recipe import Family, Value
from housectl.experiment import Parameter, ParameterKind, SearchSpace

# What the libraries do by themselves, and recipes set by hand that do well on small data.
_LIBRARY_DEFAULTS: Mapping[Family, Mapping[str, Value]] = {
    Family.RANDOM_FOREST: {
        "n_estimators": 100,
        "max_features": 1.0,
        "max_samples": 1.0,
        "min_samples_leaf": 1,
        "min_samples_split": 2,
    },
    Family.XGBOOST: {
        "n_estimators": 100,
        "learning_rate": 0.3,
        "max_depth": 6,
        "min_child_weight": 1.0,
        "subsample": 1.0,
        "colsample_bytree": 1.0,
        "colsample_bylevel": 1.0,
        "reg_lambda": 1.0,
        "reg_alpha": 0.0,
        "gamma": 0.0,
    },
}
_HAND_TUNED: Mapping[Family, Mapping[str, Value]] = {
    Family.RANDOM_FOREST: {
        **_LIBRARY_DEFAULTS[Family.RANDOM_FOREST],
        "n_estimators": 300,
        "max_features": 1 / 3,
    },
    Family.XGBOOST: {
        **_LIBRARY_DEFAULTS[Family.XGBOOST],
        "n_estimators": 400,
        "learning_rate": 0.05,
        "max_depth": 4,
        "min_child_weight": 2.0,
        "subsample": 0.8,
        "colsample_bytree": 0.5,
    },
}


def range_parameter(
    family: Family, name: str, minimum: float, maximum: float, *, log: bool = False
) -> Parameter:
    """Return a parameter with a range; it is whole where the family's parameter is."""
    whole = PARAMETERS[family][name].number is int
    return Parameter(
        name=name,
        kind=ParameterKind.INT if whole else ParameterKind.DOUBLE,
        minimum=minimum,
        maximum=maximum,
        log=log,
    )


def make_space(
    family: Family, parameters: tuple[Parameter, ...], fixed: Mapping[str, Value]
) -> SearchSpace:
    """Return a space whose first trials are the library's own recipe and one set by hand.

    A value of theirs that a range does not hold is moved to the range's nearer end, so that a
    logarithmic range, which cannot hold 0, does not drop a whole recipe. A recipe that says
    nothing of some parameter is left out.
    """
    known = [
        recipe
        for recipe in (_LIBRARY_DEFAULTS[family], _HAND_TUNED[family])
        if all(parameter.name in recipe for parameter in parameters)
    ]
    enqueued = [
        {parameter.name: _clamp(parameter, recipe[parameter.name]) for parameter in parameters}
        for recipe in known
    ]
    different = tuple(
        recipe for place, recipe in enumerate(enqueued) if recipe not in enqueued[:place]
    )
    return SearchSpace(parameters=parameters, fixed=fixed, enqueued=different)


def default_space(family: Family) -> SearchSpace:
    """Return the ranges that tell a good model from a bad one, and nothing else."""
    return _DEFAULT[family]


def wide_space(family: Family) -> SearchSpace:
    """Return an extensive space, for budgets of a hundred trials or more."""
    return _WIDE[family]


def _clamp(parameter: Parameter, value: Value) -> Value:
    if parameter.minimum is None or parameter.maximum is None or isinstance(value, str):
        return value if value in parameter.choices else parameter.choices[0]
    nearest = min(max(value, parameter.minimum), parameter.maximum)
    return int(nearest) if parameter.kind is ParameterKind.INT else float(nearest)


def _forest(name: str, minimum: float, maximum: float, *, log: bool = False) -> Parameter:
    return range_parameter(Family.RANDOM_FOREST, name, minimum, maximum, log=log)


def _xgboost(name: str, minimum: float, maximum: float, *, log: bool = False) -> Parameter:
    return range_parameter(Family.XGBOOST, name, minimum, maximum, log=log)


_DEFAULT: Mapping[Family, SearchSpace] = {
    # The number of trees stays fixed: more are never worse, and the sealed model is the trial's.
    Family.RANDOM_FOREST: make_space(
        Family.RANDOM_FOREST,
        (_forest("max_features", 0.15, 1.0), _forest("min_samples_leaf", 1, 8)),
        fixed={"n_estimators": 300},
    ),
    Family.XGBOOST: make_space(
        Family.XGBOOST,
        (
            _xgboost("n_estimators", 50, 400),
            _xgboost("learning_rate", 0.015, 0.3, log=True),
            _xgboost("max_depth", 2, 8),
            _xgboost("min_child_weight", 0.5, 10.0, log=True),
            _xgboost("subsample", 0.5, 1.0),
            _xgboost("colsample_bytree", 0.3, 1.0),
            _xgboost("reg_lambda", 0.01, 30.0, log=True),
            _xgboost("reg_alpha", 0.001, 10.0, log=True),
        ),
        fixed={},
    ),
}

_WIDE: Mapping[Family, SearchSpace] = {
    Family.RANDOM_FOREST: make_space(
        Family.RANDOM_FOREST,
        (
            _forest("n_estimators", 100, 1000, log=True),
            _forest("max_features", 0.1, 1.0),
            _forest("max_samples", 0.4, 1.0),
            _forest("min_samples_leaf", 1, 12),
            _forest("min_samples_split", 2, 16),
        ),
        fixed={},
    ),
    Family.XGBOOST: make_space(
        Family.XGBOOST,
        (
            _xgboost("n_estimators", 50, 1500, log=True),
            _xgboost("learning_rate", 0.005, 0.3, log=True),
            _xgboost("max_depth", 2, 10),
            _xgboost("min_child_weight", 0.1, 20.0, log=True),
            _xgboost("gamma", 0.001, 10.0, log=True),
            _xgboost("subsample", 0.4, 1.0),
            _xgboost("colsample_bytree", 0.3, 1.0),
            _xgboost("colsample_bylevel", 0.3, 1.0),
            _xgboost("reg_lambda", 0.001, 100.0, log=True),
            _xgboost("reg_alpha", 0.0001, 30.0, log=True),
        ),
        fixed={},
    ),
}
