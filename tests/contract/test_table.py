from pathlib import Path

import pytest

from housectl.contract.data.table import read_table
from housectl.contract.schema import Exclusion, Feature, Schema, Target
from housectl.errors import DataError

SCHEMA = Schema(
    features=(Feature(name="a", minimum=0.0, maximum=1.0),),
    target=Target(name="t"),
    exclusions=(Exclusion(name="x", reason="it is text"),),
)


def write(path: Path, *changes: tuple[int, str], header: str = "a,t,x", rows: int = 100) -> Path:
    lines = [header, *(f"{number},{-number}.5,word" for number in range(rows))]
    for number, line in changes:
        lines[number - 1] = line
    path.write_text("\n".join(lines) + "\n")
    return path


def test_numbers_are_read_exactly(tmp_path: Path) -> None:
    path = write(tmp_path / "data.csv", (2, "0.1000000000000000055511151231257827,1e-300,word"))
    table = read_table(path, SCHEMA)
    assert len(table) == 100
    assert table.numbers["a"][0] == 0.1
    assert table.numbers["t"][0] == 1e-300
    assert set(table.numbers) == {"a", "t"}


def test_groups_are_text(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "data.csv"), SCHEMA, group="x")
    assert table.groups == ("word",) * 100


def test_spreadsheets_line_endings_and_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "data.csv")
    text = "\ufeff" + path.read_text().replace("\n", "\r\n") + "\r\n"
    path.write_bytes(text.encode())
    assert len(read_table(path, SCHEMA)) == 100


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((5, ",1,word"), "line 5, column a: the cell is empty"),
        ((6, "nan,1,word"), "line 6, column a: 'nan' is not a finite number"),
        ((7, "1,inf,word"), "line 7, column t: 'inf' is not a finite number"),
        ((8, "1,1e999,word"), "line 8, column t: '1e999' is not a finite number"),
        ((9, "1_000,1,word"), "line 9, column a: '1_000' is not a finite number"),
        ((9, "\u0661,1,word"), "line 9, column a"),
        ((10, "house,1,word"), "line 10, column a: 'house' is not a finite number"),
        ((11, "1,2"), "line 11: the line has 2 cells, but the header has 3"),
        ((12, '1,"2,word'), "line 12: the row is not CSV: unexpected end of data"),
        ((1, "a,t"), "line 2: the line has 3 cells, but the header has 2"),
        ((1, "b,t,x"), "line 1: column 'a' is missing; column 'b' is not in housectl.yaml"),
        ((1, "a,a,x"), "column 'a' occurs twice"),
    ],
)
def test_error_names_line_and_column(tmp_path: Path, change: tuple[int, str], message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_table(write(tmp_path / "data.csv", change), SCHEMA)
    assert message in caught.value.message


def test_too_few_rows_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="99 rows"):
        read_table(write(tmp_path / "data.csv", rows=99), SCHEMA)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00"])
def test_file_that_is_no_text_is_rejected(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    with pytest.raises(DataError):
        read_table(path, SCHEMA)


def test_missing_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read_table(tmp_path / "data.csv", SCHEMA)
