"""The data that a trainer works on: the rows it may learn from, and those held out."""

from dataclasses import dataclass

import numpy as np

from housectl.contract.inputs import Inputs, SharedRecipe
from housectl.contract.table import Table, read_table
from housectl.errors import DataError
from housectl_trainer import split
from housectl_trainer.subset import DataSubset, Floats


@dataclass(frozen=True)
class Dataset:
    """The data of an experiment, in two parts.

    Attributes:
        heldout_digest: sha256 of the held-out rows' contents.
    """

    shared: SharedRecipe
    training: DataSubset
    holdout: DataSubset
    holdout_digest: str


def load(inputs: Inputs) -> Dataset:
    """Read the data and hold out the rows that the split says.

    Raises:
        DataError: The data file is wrong, or leaves too little on one side of the split.
    """
    shared = inputs.shared
    table = read_table(inputs.data, shared.schema, group=shared.split.group)
    texts = split.row_texts(table)
    training, heldout = split.split_indices(shared.split, texts, table.groups, seed=shared.seed)
    whole = _whole(table, shared)
    dataset = Dataset(
        shared=shared,
        training=whole.take(training),
        holdout=whole.take(heldout),
        holdout_digest=split.content_digest(texts[place] for place in heldout),
    )
    _check_targets(dataset)
    return dataset


def _whole(table: Table, shared: SharedRecipe) -> DataSubset:
    columns = {name: np.frombuffer(values) for name, values in table.numbers.items()}
    for name, column in columns.items():
        _check_size(name, column)
    return DataSubset(
        rows=np.column_stack([columns[name] for name in shared.schema.feature_names]),
        targets=columns[shared.schema.target.name],
        groups=np.array(table.groups) if table.groups else None,
    )


def _check_size(name: str, column: Floats) -> None:
    largest = float(np.abs(column).max())
    if largest > float(np.finfo(np.float32).max):
        raise DataError(
            f"The column {name} has values of the size {largest:g}; trees hold up to 3.4e38.",
            hint=f"Give {name} in a larger unit.",
        )


def _check_targets(dataset: Dataset) -> None:
    if np.ptp(dataset.training.targets) == 0:
        name = dataset.shared.schema.target.name
        raise DataError(
            f"The target {name} is the same in all {len(dataset.training)} rows to learn from.",
            hint="Set `target:` in housectl.yaml to a column that varies.",
        )
