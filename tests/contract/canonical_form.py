"""The canonical form of a data file as bytes, for tests."""

from pathlib import Path

from housectl.contract.data.canonical_csv import open_canonical
from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.recipe import Split
from housectl.contract.schema import Schema


def canonical_csv(path: Path, schema: Schema, split: Split, csv_format: CsvFormat) -> bytes:
    """Return the canonical form of a data file."""
    with open_canonical(path, schema, split, csv_format, temp=path.parent) as file:
        return file.read()
