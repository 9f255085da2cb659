"""The data set of an experiment: training rows and held-out rows."""

from dataclasses import dataclass

import numpy as np

from housectl.contract.inputs import Inputs, SharedRecipe
from housectl.contract.usable_data import UsableData, read_usable_data
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

    @property
    def all_rows(self) -> Floats:
        """The training rows, then the held-out rows."""
        return np.concatenate([self.training.rows, self.holdout.rows])


def load_dataset(inputs: Inputs) -> Dataset:
    """Read the data file and divide its rows by the recipe's split.

    Raises:
        DataError: The data is unusable.
    """
    shared = inputs.shared
    data = read_usable_data(inputs.data, shared.schema, split=shared.split, seed=shared.seed)
    rows = _all_rows(data, shared)
    return Dataset(
        shared=shared,
        training=rows.take(np.array(data.split.training)),
        holdout=rows.take(np.array(data.split.holdout)),
        holdout_digest=data.holdout_digest,
    )


def _all_rows(data: UsableData, shared: SharedRecipe) -> DataSubset:
    columns = {name: np.frombuffer(values) for name, values in data.table.numbers.items()}
    return DataSubset(
        rows=np.column_stack([columns[name] for name in shared.schema.feature_names]),
        targets=columns[shared.schema.target.name],
        groups=np.array(data.unit_codes) if data.unit_codes else None,
    )
