"""A small data set of houses, as files of many formats."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from housectl.contract.schema import Exclusion, Feature, Schema, Target

HEADER = ("area", "rooms", "score", "price")
SCHEMA = Schema(
    features=tuple(Feature(name=name, minimum=0.0, maximum=9000.0) for name in HEADER[:3]),
    target=Target(name="price"),
    exclusions=(Exclusion(name="Unnamed: 0", reason="index"),),
)


def make_rows(count: int = 120) -> list[tuple[float, ...]]:
    generator = random.Random(1)
    return [
        (
            generator.randint(500, 9000),
            generator.choice([2, 3, 4, 5]),
            round(generator.uniform(0.1, 9.9), 2),
            round(generator.uniform(1e4, 2e6), 2),
        )
        for _ in range(count)
    ]


ROWS = make_rows()
COLUMNS = {name: [row[index] for row in ROWS] for index, name in enumerate(HEADER)}


def csv_text(
    rows: Sequence[Sequence[object]] = ROWS,
    *,
    header: Sequence[str] = HEADER,
    separator: str = ",",
    end: str = "\n",
    show: Callable[[object], str] = str,
) -> str:
    lines = [header, *(tuple(map(show, row)) for row in rows)]
    return "".join(separator.join(line) + end for line in lines)


def write_file(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path
