"""The parameters that each family has, and the reading of an assignment of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf, isfinite

from housectl.contract.recipe import Assignment, Family, Value
from housectl.errors import AssignmentError


@dataclass(frozen=True, kw_only=True)
class ParameterDomain:
    """What one parameter accepts: numbers of one kind between bounds, or some words.

    Each parameter has one kind of number: `max_features` is always a share and never a count,
    so that it does not matter whether a backend writes 1 or 1.0.

    Attributes:
        above: A bound that is itself excluded; `minimum` and `maximum` are included.
    """

    number: type[int] | type[float] | None = None
    minimum: float = -inf
    exclusive_minimum: float = -inf
    maximum: float = inf
    choices: tuple[str, ...] = ()

    def read(self, value: Value) -> Value:
        """Return the value in the parameter's type.

        Raises:
            ValueError: The parameter does not accept it.
        """
        text = str(value).strip()
        for word in self.choices:
            if text == word:
                return word
        if self.number is None:
            raise ValueError(text)
        number = self.number(text)
        if not (
            isfinite(number)
            and self.minimum <= number <= self.maximum
            and number > self.exclusive_minimum
        ):
            raise ValueError(text)
        return number

    def accepts(self, value: Value) -> bool:
        """Return whether the parameter accepts a value."""
        try:
            self.read(value)
        except ValueError:
            return False
        return True

    def __str__(self) -> str:
        bounds = [
            f"from {self.minimum:g}" if self.minimum > -inf else "",
            f"above {self.exclusive_minimum:g}" if self.exclusive_minimum > -inf else "",
            f"up to {self.maximum:g}" if self.maximum < inf else "",
        ]
        kind = "a whole number" if self.number is int else "a number"
        numbers = [" ".join([kind, *filter(None, bounds)])] if self.number else []
        return " or ".join([*numbers, *self.choices])


def _integer(minimum: int) -> ParameterDomain:
    return ParameterDomain(number=int, minimum=minimum)


def _fraction(*words: str) -> ParameterDomain:
    return ParameterDomain(number=float, exclusive_minimum=0, maximum=1, choices=words)


_NOT_NEGATIVE = ParameterDomain(number=float, minimum=0)

PARAMETERS: Mapping[Family, Mapping[str, ParameterDomain]] = {
    Family.RANDOM_FOREST: {
        "n_estimators": _integer(1),
        "criterion": ParameterDomain(choices=("squared_error", "absolute_error")),
        "max_depth": _integer(1),
        "max_leaf_nodes": _integer(2),
        "min_samples_split": _integer(2),
        "min_samples_leaf": _integer(1),
        "min_weight_fraction_leaf": ParameterDomain(number=float, minimum=0, maximum=0.5),
        "min_impurity_decrease": _NOT_NEGATIVE,
        "max_features": _fraction("sqrt", "log2"),
        "max_samples": _fraction(),
        "ccp_alpha": _NOT_NEGATIVE,
    },
    Family.XGBOOST: {
        "n_estimators": _integer(1),
        "learning_rate": ParameterDomain(number=float, exclusive_minimum=0),
        "max_depth": _integer(0),
        "max_leaves": _integer(0),
        "max_bin": _integer(2),
        "max_delta_step": _NOT_NEGATIVE,
        "min_child_weight": _NOT_NEGATIVE,
        "gamma": _NOT_NEGATIVE,
        "subsample": _fraction(),
        "colsample_bytree": _fraction(),
        "colsample_bylevel": _fraction(),
        "colsample_bynode": _fraction(),
        "reg_alpha": _NOT_NEGATIVE,
        "reg_lambda": _NOT_NEGATIVE,
        "num_parallel_tree": _integer(1),
        "grow_policy": ParameterDomain(choices=("depthwise", "lossguide")),
        "tree_method": ParameterDomain(choices=("hist", "approx", "exact")),
    },
}


def read_assignment(family: Family, assignment: Assignment) -> dict[str, Value]:
    """Return the assignment with every value in its parameter's type.

    Raises:
        AssignmentError: The family lacks a parameter, or a parameter does not accept its value.
    """
    return {name: _read(family, name, value) for name, value in assignment.items()}


def parse_assignments(texts: Iterable[str]) -> dict[str, Value]:
    """Return an assignment from texts such as `max_depth=4`.

    Raises:
        AssignmentError: A text is no such pair, or a name stands twice.
    """
    assignment: dict[str, Value] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise _refused(f"{text!r} does not assign a value to a parameter.")
        if name in assignment:
            raise _refused(f"The parameter {name!r} has two values.")
        assignment[name] = value
    return assignment


def _read(family: Family, name: str, value: Value) -> Value:
    known = PARAMETERS[family]
    if name not in known:
        raise AssignmentError(
            f"The family {family} has no parameter {name!r}.",
            hint=f"Its parameters are {', '.join(sorted(known))}.",
        )
    try:
        return known[name].read(value)
    except ValueError as error:
        raise AssignmentError(
            f"The parameter {name} of {family} cannot be {value!r}.",
            hint=f"Give {name} {known[name]}, in housectl.yaml where its range stands.",
        ) from error


def _refused(message: str) -> AssignmentError:
    return AssignmentError(message, hint="Write each parameter once, as in `max_depth=4`.")
