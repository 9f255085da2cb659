"""Inputs of a sealed model: in the project, made of its data file again, or on the backend."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from housectl.backends.base import Backend
from housectl.contract.bundle import Bundle
from housectl.contract.inputs import Inputs, SharedRecipe, read_inputs
from housectl.contract.record import digest_of
from housectl.errors import DataError, InputsError, UnknownExperimentError


@dataclass(frozen=True, kw_only=True)
class InputsFinder:
    """Finds the inputs of a bundle, also on a machine that shares only the store.

    Attributes:
        root: Holds a directory for each inputs digest.
        backend: Backend of the experiments; it may have the inputs of the bundle's experiment.
        write_inputs: Writes the inputs that the project's present data file gives.
    """

    root: Path
    backend: Backend
    write_inputs: Callable[[], Inputs]

    def find(self, bundle: Bundle) -> Inputs:
        """Return the inputs of a bundle.

        Raises:
            InputsError: They are altered, or no source has them.
        """
        path = self.root / digest_of(_shared_recipe(bundle))
        if not path.exists():
            with suppress(DataError):
                self.write_inputs()
        experiment = bundle.record.provenance.experiment
        if not path.exists() and experiment is not None:
            with suppress(UnknownExperimentError, InputsError):
                self.backend.get_inputs(self.backend.handle(experiment))
        return read_inputs(path)


def _shared_recipe(bundle: Bundle) -> SharedRecipe:
    recipe = bundle.record.recipe
    return SharedRecipe(
        schema=bundle.record.schema, data=recipe.data, split=recipe.split, seed=recipe.seed
    )
