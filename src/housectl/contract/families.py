"""The registry of model families. To add one, add a member here and one trainer module."""

from enum import StrEnum
from typing import Self

from housectl.contract.family_definition import (
    FamilyDefinition,
    FamilySpace,
    Library,
    SearchRange,
)
from housectl.contract.parameters import ParameterDomain, fraction, integer, non_negative, one_of

_JOBLIB = Library("joblib", "joblib", ("joblib",))
_NUMPY = Library("numpy", "numpy", ("numpy",))
_SCIKIT_LEARN = Library("scikit-learn", "sklearn", ("scikit-learn",))
_SCIPY = Library("scipy", "scipy", ("scipy",))
# One library under two names: without and with its support of graphics cards.
_XGBOOST = Library("xgboost", "xgboost", ("xgboost-cpu", "xgboost"))

# Splits and folds depend on these, whatever the family.
_BASE_LIBRARIES = (_NUMPY, _SCIKIT_LEARN, _SCIPY)


class Family(StrEnum):
    """A model family."""

    # An attribute, not the value: records store a family as its name.
    definition: FamilyDefinition

    # The star makes lookups such as `Family("xgboost")`, which never run this, type-correct too.
    def __new__(cls, name: str, *definition: FamilyDefinition) -> Self:
        """Make the member with a name and a definition."""
        member = str.__new__(cls, name)
        member._value_ = name
        (member.definition,) = definition
        return member

    RANDOM_FOREST = (
        "random-forest",
        FamilyDefinition(
            short_name="rf",
            trainer_module="random_forest",
            native_file="model.joblib",
            parity_bound=1e-10,
            libraries=(_SCIKIT_LEARN, _JOBLIB),
            domains={
                "n_estimators": integer(1),
                "criterion": one_of("squared_error", "absolute_error"),
                "max_depth": integer(1),
                "max_leaf_nodes": integer(2),
                "min_samples_split": integer(2),
                "min_samples_leaf": integer(1),
                "min_weight_fraction_leaf": ParameterDomain(number=float, minimum=0, maximum=0.5),
                "min_impurity_decrease": non_negative(),
                "max_features": fraction("sqrt", "log2"),
                "max_samples": fraction(),
                "ccp_alpha": non_negative(),
            },
            library_defaults={
                "n_estimators": 100,
                "max_features": 1.0,
                "max_samples": 1.0,
                "min_samples_leaf": 1,
                "min_samples_split": 2,
            },
            hand_tuned={"n_estimators": 300, "max_features": 1 / 3},
            tree_count="n_estimators",
            default_space=FamilySpace(
                ranges={
                    "max_features": SearchRange(0.15, 1.0),
                    "min_samples_leaf": SearchRange(1, 8),
                },
                # More trees are never worse, and the sealed model is the trial's.
                fixed={"n_estimators": 300},
            ),
            wide_space=FamilySpace(
                ranges={
                    "n_estimators": SearchRange(100, 1000, log=True),
                    "max_features": SearchRange(0.1, 1.0),
                    "max_samples": SearchRange(0.4, 1.0),
                    "min_samples_leaf": SearchRange(1, 12),
                    "min_samples_split": SearchRange(2, 16),
                }
            ),
        ),
    )
    XGBOOST = (
        "xgboost",
        FamilyDefinition(
            short_name="xgb",
            trainer_module="xgboost",
            native_file="model.ubj",
            parity_bound=2e-5,
            libraries=(_XGBOOST,),
            domains={
                "n_estimators": integer(1),
                "learning_rate": ParameterDomain(number=float, exclusive_minimum=0),
                "max_depth": integer(0),
                "max_leaves": integer(0),
                "max_bin": integer(2),
                "max_delta_step": non_negative(),
                "min_child_weight": non_negative(),
                "gamma": non_negative(),
                "subsample": fraction(),
                "colsample_bytree": fraction(),
                "colsample_bylevel": fraction(),
                "colsample_bynode": fraction(),
                "reg_alpha": non_negative(),
                "reg_lambda": non_negative(),
                "num_parallel_tree": integer(1),
                "grow_policy": one_of("depthwise", "lossguide"),
                "tree_method": one_of("hist", "approx", "exact"),
            },
            library_defaults={
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
            hand_tuned={
                "n_estimators": 400,
                "learning_rate": 0.05,
                "max_depth": 4,
                "min_child_weight": 2.0,
                "subsample": 0.8,
                "colsample_bytree": 0.5,
            },
            tree_count="n_estimators",
            default_space=FamilySpace(
                ranges={
                    "n_estimators": SearchRange(50, 400),
                    "learning_rate": SearchRange(0.015, 0.3, log=True),
                    "max_depth": SearchRange(2, 8),
                    "min_child_weight": SearchRange(0.5, 10.0, log=True),
                    "subsample": SearchRange(0.5, 1.0),
                    "colsample_bytree": SearchRange(0.3, 1.0),
                    "reg_lambda": SearchRange(0.01, 30.0, log=True),
                    "reg_alpha": SearchRange(0.001, 10.0, log=True),
                }
            ),
            wide_space=FamilySpace(
                ranges={
                    "n_estimators": SearchRange(50, 1500, log=True),
                    "learning_rate": SearchRange(0.005, 0.3, log=True),
                    "max_depth": SearchRange(2, 10),
                    "min_child_weight": SearchRange(0.1, 20.0, log=True),
                    "gamma": SearchRange(0.001, 10.0, log=True),
                    "subsample": SearchRange(0.4, 1.0),
                    "colsample_bytree": SearchRange(0.3, 1.0),
                    "colsample_bylevel": SearchRange(0.3, 1.0),
                    "reg_lambda": SearchRange(0.001, 100.0, log=True),
                    "reg_alpha": SearchRange(0.0001, 30.0, log=True),
                }
            ),
        ),
    )
    LINEAR = (
        "linear",
        FamilyDefinition(
            short_name="linear",
            trainer_module="linear",
            native_file="model.json",
            parity_bound=1e-10,
            # Smaller numbers would make the weights of collinear columns depend on rounding.
            domains={"alpha": ParameterDomain(number=float, minimum=1e-6)},
            library_defaults={"alpha": 1e-3},
            hand_tuned={"alpha": 0.1},
            default_space=FamilySpace(ranges={"alpha": SearchRange(1e-4, 10.0, log=True)}),
            wide_space=FamilySpace(ranges={"alpha": SearchRange(1e-6, 100.0, log=True)}),
            extrapolation=(
                "A linear model extrapolates: it continues its line outside the features' ranges, "
                "so a prediction far outside can be absurd."
            ),
            # One parameter needs fewer trials.
            turns=1,
        ),
    )


def training_libraries() -> tuple[Library, ...]:
    """Return the libraries of all families, in the order of their names.

    Every recipe records all of them. Recipes of two families are comparable only if both record the
    same libraries.
    """
    libraries = {*_BASE_LIBRARIES}
    for family in Family:
        libraries.update(family.definition.libraries)
    return tuple(sorted(libraries, key=lambda library: library.name))
