"""Small inputs, and functions that run the trainer on them."""

import csv
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from housectl.contract.inputs import Inputs, read_inputs, write_inputs
from housectl.contract.recipe import Split
from housectl.contract.schema import Exclusion, Feature, Schema, Target
from housectl_trainer.data import Dataset, load_dataset

BOSTON = Path(__file__).parents[2] / "data" / "boston.csv"

Completed = subprocess.CompletedProcess[str]
RunTrainer = Callable[..., Completed]
MakeInputs = Callable[..., Inputs]


def schema_of(
    path: Path, target: str, excluded: Sequence[str] = (), group: str | None = None
) -> Schema:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name not in {target, group, *excluded}]
    columns = {name: [float(row[name]) for row in rows] for name in names}
    return Schema(
        features=tuple(
            Feature(name=name, minimum=min(column), maximum=max(column))
            for name, column in columns.items()
        ),
        target=Target(name=target, unit="thousand dollars"),
        exclusions=tuple(Exclusion(name=name, reason="it is excluded") for name in excluded),
    )


@pytest.fixture(scope="session")
def boston_schema() -> Schema:
    return schema_of(BOSTON, "MEDV", excluded=("B",))


@pytest.fixture(scope="session")
def boston(tmp_path_factory: pytest.TempPathFactory, boston_schema: Schema) -> Inputs:
    parent = tmp_path_factory.mktemp("inputs")
    return write_inputs(parent, BOSTON, schema=boston_schema, split=Split(), seed=7)


@pytest.fixture(scope="session")
def boston_dataset(boston: Inputs) -> Dataset:
    return load_dataset(boston)


@pytest.fixture(scope="session")
def centred(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Inputs whose target is around 0, where float32 has its largest relative errors."""
    parent = tmp_path_factory.mktemp("centred")
    generator = np.random.default_rng(3)
    rows = generator.normal(size=(240, 4))
    rows[:, 3] = np.round(rows[:, 3])
    target = rows[:, 0] * rows[:, 1] - rows[:, 3] - 0.5
    path = parent / "centred.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "c", "d", "y"])
        writer.writerows(np.column_stack([rows, target - target.mean()]).tolist())
    return write_inputs(parent, path, schema=schema_of(path, "y"), split=Split(), seed=1)


@pytest.fixture(scope="session")
def make_inputs(tmp_path_factory: pytest.TempPathFactory) -> MakeInputs:
    """Return a function that writes inputs from lines of cells, the header first."""

    def make(
        lines: Sequence[Sequence[object]], schema: Schema, split: Split | None = None, seed: int = 7
    ) -> Inputs:
        parent = tmp_path_factory.mktemp("made")
        path = parent / "made.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(lines)
        return write_inputs(parent, path, schema=schema, split=split or Split(), seed=seed)

    return make


@pytest.fixture(scope="session")
def boston_lines() -> list[list[str]]:
    with BOSTON.open(newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="session")
def run_trainer() -> RunTrainer:
    """Return a function that runs one command of the trainer in a process of its own."""

    def run(command: str, inputs: Inputs | Path, *arguments: str | Path) -> Completed:
        path = inputs if isinstance(inputs, Path) else inputs.path
        return subprocess.run(
            [sys.executable, "-m", "housectl_trainer", command, "--inputs", path, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=BOSTON.parents[1],
        )

    return run


@pytest.fixture
def altered_inputs(boston: Inputs, tmp_path: Path) -> Path:
    """A copy of the inputs with one additional byte."""
    path = tmp_path / boston.path.name
    path.mkdir()
    for file in boston.path.iterdir():
        (path / file.name).write_bytes(file.read_bytes())
    assert read_inputs(path)
    with (path / "data.csv").open("ab") as data:
        data.write(b"\n")
    return path
