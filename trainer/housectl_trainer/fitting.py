"""Fitting of a recipe's model, whatever its family."""

from housectl.contract.assignments import read_assignment
from housectl.contract.families import Family
from housectl.contract.inputs import SharedRecipe
from housectl.contract.libraries import library_versions
from housectl.contract.parameters import Assignment
from housectl.contract.recipe import Recipe
from housectl.errors import AssignmentError
from housectl_trainer.model_family import Model, load_family
from housectl_trainer.subset import DataSubset


def make_recipe(shared: SharedRecipe, family: Family, assignment: Assignment) -> Recipe:
    """Return the recipe of one model.

    Raises:
        AssignmentError: The family does not accept the assignment.
    """
    values = read_assignment(family, assignment)
    return shared.recipe(family, values, library_versions())


def fit(recipe: Recipe, subset: DataSubset, *, threads: int = 1) -> Model:
    """Fit a recipe's model to some rows; the number of threads does not change the model.

    Raises:
        AssignmentError: The library rejects the assignment.
        MemoryError: There is not enough memory.
    """
    family = load_family(recipe.family)
    try:
        return family.fit(recipe.assignment, subset, seed=recipe.seed, threads=threads)
    except ValueError as error:
        raise _translate(error, recipe) from error


def _translate(error: ValueError, recipe: Recipe) -> MemoryError | AssignmentError:
    """Return the error that a library's ValueError means: XGBoost reports lack of memory so too."""
    message = str(error).partition("\n")[0]
    if "bad_alloc" in message or "bad_malloc" in message:
        return MemoryError(message)
    return AssignmentError(
        f"The library rejects this assignment of {recipe.family}: {message}",
        hint="Change the ranges of its parameters in housectl.yaml.",
    )
