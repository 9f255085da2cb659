"""The inputs directory: the data and the recipe fields that all trials of an experiment share."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from housectl.contract.data.canonical_csv import open_canonical
from housectl.contract.data.csv_format import DEFAULT_FORMAT, CsvFormat
from housectl.contract.families import Family
from housectl.contract.files import (
    atomic_directory,
    copy_and_sync,
    file_digest,
    stream_digest,
    write_and_sync,
)
from housectl.contract.parameters import Assignment
from housectl.contract.path_names import is_digest
from housectl.contract.recipe import (
    DEFAULT_GATE,
    OBJECTIVE_FOLDS,
    TRAINING_VERSION,
    GateFolds,
    ObjectiveFolds,
    Recipe,
    Split,
)
from housectl.contract.record import SCHEMA_VERSION, MalformedRecordError, Record, digest_of
from housectl.contract.regular_files import read_regular
from housectl.contract.schema import Schema
from housectl.errors import DataError, InputsError

DATA_FILE = "data.csv"
RECIPE_FILE = "recipe.json"


class SharedRecipe(Record, kw_only=True):
    """The recipe fields that all trials of an experiment share, and the schema.

    Attributes:
        folds: Number of folds of the objective; unset for 5.
        gate: Folds of the gate; unset for 5 times 10.
    """

    schema_version: int = SCHEMA_VERSION
    schema: Schema
    data: str
    split: Split
    seed: int
    folds: Literal[1, 3] | UnsetType = UNSET
    gate: GateFolds | UnsetType = UNSET

    def recipe(self, family: Family, assignment: Assignment, libraries: dict[str, str]) -> Recipe:
        """Return the complete recipe of one model."""
        return Recipe(
            family=family,
            assignment=dict(assignment),
            data=self.data,
            features=self.schema.feature_names,
            target=self.schema.target.name,
            split=self.split,
            seed=self.seed,
            libraries=libraries,
            columns=self.schema.column_types or UNSET,
            earliest=self.schema.earliest_dates or UNSET,
            transform=self.schema.target.transform,
            training=TRAINING_VERSION,
            folds=self.folds,
            gate=self.gate,
        )


@dataclass(frozen=True)
class Inputs:
    """A verified inputs directory; its name is the digest of its content."""

    path: Path
    shared: SharedRecipe

    @property
    def digest(self) -> str:
        """The name of the directory."""
        return self.path.name

    @property
    def data(self) -> Path:
        """The data file."""
        return self.path / DATA_FILE


def write_inputs(
    parent: Path,
    data: Path,
    *,
    schema: Schema,
    split: Split,
    seed: int,
    folds: ObjectiveFolds = OBJECTIVE_FOLDS,
    gate: GateFolds = DEFAULT_GATE,
    csv_format: CsvFormat = DEFAULT_FORMAT,
) -> Inputs:
    """Write `parent/<digest>/` with the canonical form of the data, unless it exists; return it.

    Args:
        parent: Directory of all inputs.
        data: The data file.
        schema: Schema of the data.
        split: The recipe's split.
        seed: The recipe's seed.
        folds: Number of folds of the objective.
        gate: Folds of the gate.
        csv_format: Format of the data file.

    Raises:
        DataError: The data file cannot be read, or changes in the meantime.
        LocalEnvironmentError: The disk is full, read-only or not writable.
    """
    with open_canonical(data, schema, split, csv_format, temp=parent) as content:
        shared = SharedRecipe(
            schema=schema,
            data=stream_digest(content),
            split=split,
            seed=seed,
            folds=_unless_default(folds),
            gate=UNSET if gate == DEFAULT_GATE else gate,
        )
        path = parent / digest_of(shared)
        if not path.exists():
            content.seek(0)
            with atomic_directory(path) as directory:
                copy_and_sync(content, directory / DATA_FILE)
                if file_digest(directory / DATA_FILE) != shared.data:
                    raise _changed(data)
                write_and_sync(directory / RECIPE_FILE, shared.to_json())
    return read_inputs(path)


def with_settings(
    inputs: Inputs, *, schema: Schema, split: Split, seed: int, folds: ObjectiveFolds
) -> Inputs:
    """Return inputs with the same data and other settings, beside those; they are not written."""
    shared = msgspec.structs.replace(
        inputs.shared, schema=schema, split=split, seed=seed, folds=_unless_default(folds)
    )
    return Inputs(path=inputs.path.with_name(digest_of(shared)), shared=shared)


def read_inputs(path: Path) -> Inputs:
    """Read an inputs directory and verify its content against the digest in its name.

    Raises:
        InputsError: The directory is missing or altered, or has another name.
    """
    try:
        shared = SharedRecipe.from_json(read_regular(path / RECIPE_FILE))
        data = file_digest(path / DATA_FILE)
    except (OSError, MalformedRecordError) as error:
        raise _invalid(path, str(error)) from error
    if data != shared.data:
        raise _invalid(path, f"{DATA_FILE} has the digest {data[:12]}, not {shared.data[:12]}")
    if digest_of(shared) != path.name:
        raise _invalid(path, f"{RECIPE_FILE} has the digest {digest_of(shared)[:12]}")
    return Inputs(path=path, shared=shared)


def _unless_default(folds: ObjectiveFolds) -> Literal[1, 3] | UnsetType:
    return UNSET if folds == OBJECTIVE_FOLDS else folds


def _changed(data: Path) -> DataError:
    return DataError(
        f"The data file {data} changed while it was copied.",
        hint="Wait until the file is complete, then run the same command again.",
    )


def _invalid(path: Path, problem: str) -> InputsError:
    write = "housectl tune   # writes it, here or to the cluster's volume"
    # Only housectl names directories by digests: another directory has the user's own files.
    is_own = path.exists() and is_digest(path.name)
    return InputsError(
        f"The inputs {path} cannot be used: {problem}.",
        hint=f"rm -r {shlex.quote(str(path))}   # here or on the cluster's volume; then: {write}"
        if is_own
        else write,
    )
