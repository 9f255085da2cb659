"""The data set of an experiment: training rows and held-out rows."""

from dataclasses import dataclass

import numpy as np

from housectl.contract.inputs import Inputs, SharedRecipe
from housectl.contract.table import Table, read_table
from housectl.errors import DataError
from housectl_trainer import split
from housectl_trainer.subset import DataSubset, Floats


@dataclass(frozen=True)
class Dataset:
    """The data of an experiment, divided into training rows and held-out rows.

    Attributes:
        holdout_digest: sha256 of the held-out rows' contents.
    """

    shared: SharedRecipe
    training: DataSubset
    holdout: DataSubset
    holdout_digest: str


def load_dataset(inputs: Inputs) -> Dataset:
    """Read the data file and divide its rows by the recipe's split.

    Raises:
        DataError: The data file is invalid, or one side of the split has too few rows.
    """
    shared = inputs.shared
    table = read_table(inputs.data, shared.schema, group=shared.split.group)
    texts = split.row_texts(table)
    training, holdout = split.split_indices(shared.split, texts, table.groups, seed=shared.seed)
    rows = _all_rows(table, shared)
    dataset = Dataset(
        shared=shared,
        training=rows.take(training),
        holdout=rows.take(holdout),
        holdout_digest=split.content_digest(texts[index] for index in holdout),
    )
    _check_targets(dataset)
    return dataset


def _all_rows(table: Table, shared: SharedRecipe) -> DataSubset:
    columns = {name: np.frombuffer(values) for name, values in table.numbers.items()}
    for name, column in columns.items():
        _check_magnitude(name, column)
    return DataSubset(
        rows=np.column_stack([columns[name] for name in shared.schema.feature_names]),
        targets=columns[shared.schema.target.name],
        groups=np.array(table.groups) if table.groups else None,
    )


def _check_magnitude(name: str, column: Floats) -> None:
    largest = float(np.abs(column).max())
    if largest > float(np.finfo(np.float32).max):
        raise DataError(
            f"The column {name} has values up to {largest:g}, and trees store at most 3.4e38.",
            hint=f"Express {name} in a larger unit.",
        )


def _check_targets(dataset: Dataset) -> None:
    if np.ptp(dataset.training.targets) == 0:
        name = dataset.shared.schema.target.name
        raise DataError(
            f"The target {name} has one value in all {len(dataset.training)} training rows.",
            hint="Set `target:` in housectl.yaml to a column that varies.",
        )
