"""Memory of reading: a data file is never in memory as a whole, and a cell is no Python object."""

import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from housectl.contract.column_types import Category
from housectl.contract.data.canonical_csv import canonical_digest
from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.data.usable_data import read_usable_data
from housectl.contract.inputs import write_inputs
from housectl.contract.recipe import Split, SplitMethod
from housectl.contract.schema import Feature, Schema, Target, column_record

ROWS, NUMBERS = 12_000, 12
TOWNS = tuple(f"town {number:02}" for number in range(30))
SCHEMA = Schema(
    features=(
        *(Feature(name=f"x{number}", minimum=0.0, maximum=1.0) for number in range(NUMBERS)),
        Feature(
            name="town", minimum=0.0, maximum=29.0, column=column_record(Category(levels=TOWNS))
        ),
    ),
    target=Target(name="price"),
)
SPLIT = Split(method=SplitMethod.HASH_FEATURES)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "data.csv"
    generator = random.Random(3)
    with path.open("w") as file:
        file.write(",".join((*SCHEMA.feature_names, "price")) + "\n")
        for _ in range(ROWS):
            numbers = [f"{generator.random():.7f}" for _ in range(NUMBERS + 1)]
            file.write(",".join((*numbers[1:], generator.choice(TOWNS), numbers[0])) + "\n")
    return path


def peak_per_byte(work: Callable[[], object], path: Path) -> float:
    """Return the peak of Python's memory during a call, divided by the size of a file."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / path.stat().st_size
    finally:
        tracemalloc.stop()


def test_data_are_read_as_doubles(data: Path) -> None:
    # A double takes 8 bytes, and a cell 10. A Python object takes 24 bytes or more.
    peak = peak_per_byte(lambda: read_usable_data(data, SCHEMA, split=SPLIT, seed=1), data)
    assert peak < 2


def test_canonical_file_is_copied_in_parts(data: Path, tmp_path: Path) -> None:
    def write() -> None:
        write_inputs(tmp_path, data, schema=SCHEMA, split=SPLIT, seed=1)

    write()  # imports the modules
    for path in tmp_path.iterdir():
        path.rename(tmp_path / "other")
    assert peak_per_byte(write, data) < 1


def test_other_file_is_converted_in_parts(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(data.read_text().replace(",", ";"))
    csv_format = CsvFormat(separator=";")

    def write() -> None:
        inputs = write_inputs(
            tmp_path, path, schema=SCHEMA, split=SPLIT, seed=1, csv_format=csv_format
        )
        assert inputs.shared.data == canonical_digest(data, SCHEMA, SPLIT, CsvFormat())

    assert peak_per_byte(write, path) < 1
