"""The data set of an experiment: training rows and held-out rows."""

from dataclasses import dataclass

import numpy as np

from housectl.contract.columns import ColumnEncoder
from housectl.contract.data.usable_data import UsableData, read_usable_data
from housectl.contract.inputs import Inputs, SharedRecipe
from housectl_trainer.subset import DataSubset, Floats


@dataclass(frozen=True)
class TrainingData:
    """The part of an experiment's data that trials use.

    Attributes:
        shared: The part of a recipe that all trials share.
        training: The training rows.
    """

    shared: SharedRecipe
    training: DataSubset


@dataclass(frozen=True)
class Dataset(TrainingData):
    """The data of an experiment, divided into training rows and held-out rows.

    Attributes:
        holdout: The held-out rows.
        values: `(n, features)`, the doubles of all features' values: those of the training rows,
            then those of the held-out rows.
        all_rows: The training rows, then the held-out rows, as columns.
        holdout_digest: sha256 of the held-out rows' contents.
    """

    holdout: DataSubset
    values: Floats
    all_rows: Floats
    holdout_digest: str


def load_dataset(inputs: Inputs) -> Dataset:
    """Read the data file and divide its rows by the recipe's split.

    Raises:
        DataError: The data is unusable.
    """
    shared = inputs.shared
    data = read_usable_data(inputs.data, shared.schema, split=shared.split, seed=shared.seed)
    return make_dataset(shared, data)


def load_training_data(inputs: Inputs) -> TrainingData:
    """Read the data file as `load_dataset` does, and keep in memory only what trials use.

    Raises:
        DataError: The data is unusable.
    """
    dataset = load_dataset(inputs)
    # A part of an array without a copy would keep the whole array in memory.
    training = dataset.training.take(np.arange(len(dataset.training)))
    return TrainingData(shared=dataset.shared, training=training)


def make_dataset(shared: SharedRecipe, data: UsableData) -> Dataset:
    """Return the rows of a table as columns, divided by its split."""
    numbers = {name: np.frombuffer(values) for name, values in data.table.numbers.items()}
    schema = shared.schema
    training = len(data.split.training)
    order = np.array([*data.split.training, *data.split.holdout])
    values = np.empty((len(order), len(schema.features)))
    for index, name in enumerate(schema.feature_names):
        values[:, index] = numbers[name][order]
    rows = DataSubset(
        rows=ColumnEncoder(schema.features).encode(values),
        targets=numbers[schema.target.name][order],
        groups=np.array(data.unit_codes)[order] if data.unit_codes else None,
        times=np.frombuffer(data.table.times)[order] if data.table.times else None,
    )
    return Dataset(
        shared=shared,
        training=rows[:training],
        holdout=rows[training:],
        values=values,
        all_rows=rows.rows,
        holdout_digest=data.holdout_digest,
    )
