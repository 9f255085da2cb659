"""Inputs of a sealed model: in the project, made of its data file again, or on the backend."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from housectl.backends.base import Backend
from housectl.contract.bundle import Bundle
from housectl.contract.data.canonical_csv import canonical_digest
from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.inputs import Inputs, SharedRecipe, read_inputs, write_inputs
from housectl.contract.record import digest_of
from housectl.errors import DataError, InputsError, UnknownExperimentError


@dataclass(frozen=True, kw_only=True)
class InputsFinder:
    """Finds the inputs of a bundle, also on a machine that shares only the store.

    Attributes:
        root: Holds a directory for each inputs digest.
        backend: Backend of the experiments; it may have the inputs of the bundle's experiment.
        data: The project's present data file.
        csv_format: Format of the data file.
    """

    root: Path
    backend: Backend
    data: Path
    csv_format: CsvFormat

    def find(self, bundle: Bundle) -> Inputs:
        """Return the inputs of a bundle.

        Raises:
            InputsError: They are altered, or no source has them.
        """
        shared = _shared_recipe(bundle)
        path = self.root / digest_of(shared)
        if not path.exists() and self._data_digest(shared) == shared.data:
            write_inputs(
                self.root,
                self.data,
                schema=shared.schema,
                split=shared.split,
                seed=shared.seed,
                folds=bundle.record.recipe.objective_folds,
                gate=bundle.record.recipe.gate_folds,
                csv_format=self.csv_format,
            )
        experiment = bundle.record.provenance.experiment
        if not path.exists() and experiment is not None:
            with suppress(UnknownExperimentError, InputsError):
                self.backend.get_inputs(self.backend.handle(experiment))
        if not path.exists():
            raise self._missing(bundle)
        return read_inputs(path)

    def _data_digest(self, shared: SharedRecipe) -> str | None:
        """Return the digest of the present data; None if the file cannot be read."""
        try:
            return canonical_digest(self.data, shared.schema, shared.split, self.csv_format)
        except DataError:
            return None

    def _missing(self, bundle: Bundle) -> InputsError:
        needed, present = bundle.record.recipe.data, self._data_digest(_shared_recipe(bundle))
        found = f"has the sha256 {present}" if present else "cannot be read"
        return InputsError(
            f"The inputs of version {bundle.version} are missing: its data has the sha256 "
            f"{needed}, but {self.data} {found}.",
            hint=f"git log --oneline -- {quote(str(self.data))}   # restore the earlier file; or "
            "train with the present one: housectl tune",
        )


def _shared_recipe(bundle: Bundle) -> SharedRecipe:
    recipe = bundle.record.recipe
    return SharedRecipe(
        schema=bundle.record.schema,
        data=recipe.data,
        split=recipe.split,
        seed=recipe.seed,
        folds=recipe.folds,
        gate=recipe.gate,
    )
