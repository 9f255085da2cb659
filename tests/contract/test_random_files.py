"""Random data in random formats: the table and its canonical form have the written values."""

import csv
import gzip
import io
import math
import random
from pathlib import Path

import pytest

from housectl.contract.column_types import Boolean, Category, Number
from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.data.table import Table, read_table
from housectl.contract.recipe import Split
from housectl.contract.schema import Exclusion, Feature, Schema, Target
from tests.contract.canonical_form import canonical_csv

LEVELS = ("Ulm", "Bad Tölz", 'a "b"', "x;y,z", "two\nlines", "- ", "n/a?")
SCHEMA = Schema(
    features=(
        Feature(name="x", minimum=0.0, maximum=1.0),
        Feature(name="gaps", minimum=0.0, maximum=1.0, column=Number(nullable=True)),
        Feature(
            name="town",
            minimum=0.0,
            maximum=6.0,
            column=Category(levels=tuple(map(str.strip, LEVELS)), nullable=True),
        ),
        Feature(name="pool", minimum=0.0, maximum=1.0, column=Boolean(nullable=True)),
    ),
    target=Target(name="y"),
    exclusions=(Exclusion(name="Unnamed: 0", reason="index"),),
)


def random_format(rng: random.Random) -> CsvFormat:
    decimal = rng.choice([".", ","])
    return CsvFormat(
        separator=rng.choice([",", ";", "\t", "|", "^"]),
        decimal=decimal,
        thousands=rng.choice(["", *({".", ",", " ", "'", "_"} - {decimal})]),
        encoding=rng.choice(["utf-8", "utf-8-sig", "utf-16", "latin-1", "utf-32"]),
        skip_lines=rng.randint(0, 2),
        footer_lines=rng.randint(0, 2),
        missing=rng.choice([("",), ("", "NA"), ("-99", "none")]),
    )


def random_number(rng: random.Random) -> float:
    return rng.choice(
        [rng.gauss(0, 1e6), rng.randint(-(10**9), 10**9), rng.gauss(0, 1e-300), -0.0, 1e38]
    )


def write_number(rng: random.Random, value: float, csv_format: CsvFormat) -> str:
    text = repr(value)
    if "e" not in text and rng.random() < 0.7:
        text = format(value, "_") if isinstance(value, int) else format(value, "_.17g")
        text = text if float(text) == value and "e" not in text else repr(value)
    marks = {"_": csv_format.thousands, ".": csv_format.decimal}
    return "".join(marks.get(letter, letter) for letter in text)


def rows_of(table: Table) -> list[tuple[str, ...]]:
    return [tuple(map(repr, row)) for row in zip(*table.numbers.values(), strict=True)]


@pytest.mark.parametrize("seed", range(25))
def test_random_file_is_read_exactly(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    csv_format = random_format(rng)
    missing = csv_format.missing
    text = io.StringIO()
    text.write("Title, 'of' this file\n" * csv_format.skip_lines)
    writer = csv.writer(
        text, delimiter=csv_format.separator, lineterminator=rng.choice(["\n", "\r\n"])
    )
    writer.writerow(["", "x", " gaps", "town", "pool ", "y"])
    expected = []
    for number in range(rng.randint(120, 600)):
        x, gaps, y = (random_number(rng) for _ in range(3))
        code, pool = rng.randrange(len(LEVELS)), rng.choice([0.0, 1.0, math.nan])
        is_gap, is_dropped = rng.random() < 0.1, rng.random() < 0.1
        cells = (
            str(number),
            write_number(rng, x, csv_format),
            rng.choice(missing) if is_gap else write_number(rng, gaps, csv_format),
            LEVELS[code],
            rng.choice(missing if math.isnan(pool) else ["Yes", "1"] if pool else ["no", "F"]),
            rng.choice(missing) if is_dropped else write_number(rng, y, csv_format),
        )
        writer.writerow(cells)
        if not is_dropped:
            expected.append((x, math.nan if is_gap else gaps, float(code), pool, y))
    text.write("Total\n" * csv_format.footer_lines)
    content = text.getvalue().encode(csv_format.encoding)
    path = tmp_path / "data.csv"
    path.write_bytes(gzip.compress(content) if rng.random() < 0.5 else content)

    table = read_table(path, SCHEMA, csv_format=csv_format)
    assert rows_of(table) == [tuple(map(repr, map(float, row))) for row in expected]
    copy = tmp_path / "canonical.csv"
    copy.write_bytes(canonical_csv(path, SCHEMA, Split(), csv_format))
    canonical = read_table(copy, SCHEMA)
    assert rows_of(canonical) == rows_of(table)
    assert canonical.texts == table.texts
