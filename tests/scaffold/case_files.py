"""Data files as people have them, each with one trait; all describe the same houses."""

import io
import random
import zipfile
from collections.abc import Callable, Iterable, Sequence

HEADER = ("area", "rooms", "score", "price")

Row = Sequence[object]


def _houses() -> list[tuple[int, int, float, float]]:
    rng = random.Random(1)
    rows = []
    for _ in range(120):
        area, rooms = rng.randint(500, 9000), rng.choice([2, 3, 4, 5])
        score = round(rng.uniform(0.1, 9.9), 2)
        price = round(area * 31 + rooms * 1000 + score * 20 + rng.gauss(0, 500), 2)
        rows.append((area, rooms, score, price))
    return rows


HOUSES = _houses()


def table(
    header: Iterable[object], rows: Iterable[Row], *, separator: str = ",", newline: str = "\n"
) -> str:
    return "".join(separator.join(map(str, row)) + newline for row in [header, *rows])


def with_column(
    name: str, cell: Callable[[int], object], *, replaced: str | None = None, at: int = 0
) -> str:
    """Return the houses with a further column, or with one in place of another."""
    header, rows = [*HEADER], [[*row] for row in HOUSES]
    index = at if replaced is None else HEADER.index(replaced)
    width = 0 if replaced is None else 1
    header[index : index + width] = [name]
    for number, row in enumerate(rows):
        row[index : index + width] = [cell(number)]
    return table(header, rows)


def changed(name: str, change: Callable[[int, object], object]) -> str:
    """Return the houses with the cells of a column changed."""
    index = HEADER.index(name)
    return with_column(name, lambda number: change(number, HOUSES[number][index]), replaced=name)


def with_gaps(text: str) -> str:
    return changed("rooms", lambda number, cell: text if number % 10 == 7 else cell)


def decimal_comma(row: Row) -> list[str]:
    return [str(cell).replace(".", ",") for cell in row]


def quoted(cell: object) -> str:
    return f'"{cell}"'


def zipped(text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("houses.csv", text)
    return file.getvalue()


def pick(*cells: str) -> Callable[[int], str]:
    rng = random.Random(2)
    picked = [rng.choice(cells) for _ in HOUSES]
    return lambda number: picked[number]


PLAIN = table(HEADER, HOUSES)
BODY = PLAIN.partition("\n")[2]
COMMAS = [decimal_comma(row) for row in HOUSES]
QUOTED_COMMAS = [[*row[:2], *map(quoted, row[2:])] for row in COMMAS]
THOUSANDS = [(quoted(f"{a:,}"), r, s, quoted(f"{p:,.2f}")) for a, r, s, p in HOUSES]
GERMAN = [
    (f"{a:,}".replace(",", "."), r, str(s).replace(".", ","), str(p).replace(".", ","))
    for a, r, s, p in HOUSES
]
