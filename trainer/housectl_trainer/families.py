"""The two families behind one interface."""

from housectl.contract.inputs import SharedRecipe
from housectl.contract.parameters import read_assignment
from housectl.contract.recipe import Assignment, Family, Recipe
from housectl.errors import AssignmentError
from housectl_trainer.libraries import library_versions
from housectl_trainer.model_family import Model, ModelFamily
from housectl_trainer.subset import DataSubset


def load_family(family: Family) -> ModelFamily:
    """Return how a family is trained; imports its library."""
    match family:
        case Family.RANDOM_FOREST:
            from housectl_trainer.random_forest_family import RANDOM_FOREST_FAMILY

            return RANDOM_FOREST_FAMILY
        case Family.XGBOOST:
            from housectl_trainer.xgboost_family import XGBOOST_FAMILY

            return XGBOOST_FAMILY


def recipe_of(shared: SharedRecipe, family: Family, assignment: Assignment) -> Recipe:
    """Return the recipe of one model.

    Raises:
        AssignmentError: The assignment is none of this family.
    """
    known = read_assignment(family, assignment)
    return shared.recipe(family, known, library_versions())


def fit(recipe: Recipe, part: DataSubset, *, threads: int = 1) -> Model:
    """Train a recipe's model on some rows; the number of threads does not change it.

    Raises:
        AssignmentError: The library refuses the assignment.
        MemoryError: There is not enough memory.
    """
    learn = load_family(recipe.family).learn
    try:
        return learn(recipe.assignment, part, seed=recipe.seed, threads=threads)
    except ValueError as error:
        raise _explained(error, recipe) from error


def _explained(error: ValueError, recipe: Recipe) -> MemoryError | AssignmentError:
    """Tell lack of memory, which XGBoost reports as it does any error, from a wrong assignment."""
    first = str(error).partition("\n")[0]
    if "bad_alloc" in first or "bad_malloc" in first:
        return MemoryError(first)
    return AssignmentError(
        f"The library refuses this assignment of {recipe.family}: {first}",
        hint="Change the ranges of its parameters in housectl.yaml.",
    )
