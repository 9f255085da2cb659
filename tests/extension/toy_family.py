"""A toy model family, added to a source copy with one registry entry and one trainer module.

It predicts one constant on each side of a split of the first feature.
"""

import csv
import random
from pathlib import Path

from tests.extension.source_copy import SourceCopy

NAME = "piecewise-constant"

_LAST_LINES_OF_NEW = "        (member.definition,) = definition\n        return member\n"

_ENTRY = """
    PIECEWISE_CONSTANT = "piecewise-constant", FamilyDefinition(
        short_name="pc",
        trainer_module="piecewise_constant",
        native_file="model.json",
        parity_bound=1e-10,
        domains={"quantile": fraction()},
        library_defaults={"quantile": 0.5},
        default_space=FamilySpace(ranges={"quantile": SearchRange(0.3, 0.7)}),
        wide_space=FamilySpace(ranges={"quantile": SearchRange(0.1, 0.9)}),
    )
"""

_TRAINER_MODULE = '''\
"""One constant on each side of a split of the first feature."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import msgspec
import numpy as np

from housectl.contract.parameters import Value
from housectl_trainer.model_family import ModelFamily, TrainingRows
from housectl_trainer.subset import Floats
from housectl_trainer.trees import LEAF, Ensemble, SplitComparison, Tree


@dataclass(frozen=True)
class PiecewiseConstantModel:
    """A trained model; `threshold` is a float32 number."""

    threshold: float
    below: float
    above: float

    def predict(self, rows: Floats) -> Floats:
        """Return the constant of each row's side."""
        return np.where(rows[:, 0].astype(np.float32) <= self.threshold, self.below, self.above)

    def native(self) -> bytes:
        """Return the numbers as JSON."""
        return msgspec.json.encode(asdict(self))

    def body(self) -> Ensemble:
        """Return one tree with one split."""
        tree = Tree(
            left=np.array([1, LEAF, LEAF]),
            right=np.array([2, LEAF, LEAF]),
            features=np.zeros(3, dtype=np.int64),
            thresholds=np.array([self.threshold, 0.0, 0.0]),
            missing_left=np.zeros(3, dtype=np.bool_),
            weights=np.array([0.0, self.below, self.above]),
            rows=np.array([2, 1, 1]),
        )
        return Ensemble(trees=(tree,), comparison=SplitComparison.LESS_EQUAL, offset=0.0)


def _fit(
    assignment: Mapping[str, Value], training: TrainingRows, *, seed: int, threads: int
) -> PiecewiseConstantModel:
    column = training.expand()[:, 0].astype(np.float32)
    threshold = float(np.float32(np.quantile(column, float(assignment["quantile"]))))
    below = column <= threshold
    return PiecewiseConstantModel(
        threshold=threshold,
        below=float(training.targets[below].mean()),
        above=float(training.targets[~below].mean()),
    )


FAMILY = ModelFamily(fit=_fit)
'''


def add_toy_family(source: SourceCopy) -> None:
    """Add the family to the registry, and its module to the trainer."""
    source.insert("src/housectl/contract/families.py", after=_LAST_LINES_OF_NEW, text=_ENTRY)
    source.write("trainer/housectl_trainer/families/piecewise_constant.py", _TRAINER_MODULE)


def write_step_data(path: Path) -> None:
    """Write a CSV file whose target is a noisy step function of `x`."""
    generator = random.Random(5)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["x", "z", "y"])
        for _ in range(240):
            x, z = generator.random(), generator.random()
            writer.writerow([x, z, (1.0 if x > 0.5 else 0.0) + generator.gauss(0, 0.05)])
