import math
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from housectl.contract.column_types import Boolean, Category, Datetime, Number
from housectl.contract.data import parquet_file
from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.data.data_file import read_rows
from housectl.contract.data.table import read_table
from housectl.contract.recipe import Split
from housectl.contract.schema import Exclusion, Feature, Schema, Target
from housectl.errors import DataError, LocalEnvironmentError
from tests.contract.canonical_form import canonical_csv

SCHEMA = Schema(
    features=(
        Feature(name="area", minimum=0.0, maximum=1.0, column=Number(nullable=True)),
        Feature(name="town", minimum=0.0, maximum=1.0, column=Category(levels=("Ulm",))),
        Feature(name="pool", minimum=0.0, maximum=1.0, column=Boolean(nullable=True)),
        Feature(name="sold", minimum=0.0, maximum=1.0, column=Datetime()),
    ),
    target=Target(name="price"),
    exclusions=(Exclusion(name="tags", reason="lists"),),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    columns = {
        "area": pa.array([0.1, None, math.nan, 5e-324] * 1500),
        "town": pa.array(["Ulm", "Bonn"] * 3000).dictionary_encode(),
        "pool": pa.array([True, None] * 3000),
        "sold": pa.array([date(2020, 2, 1)] * 6000),
        "tags": pa.array([["a", "b"]] * 6000),
        "price": pa.array([Decimal("1.50"), None, Decimal("2.00"), Decimal(3)] * 1500),
    }
    path = tmp_path / "houses.csv"
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet_is_read_like_csv(path: Path) -> None:
    table = read_table(path, SCHEMA, csv_format=CsvFormat(separator=";", decimal=","))
    assert (len(table), table.dropped) == (4500, 1500)
    assert list(map(repr, table.numbers["area"][:3])) == ["0.1", "nan", "5e-324"]
    assert table.numbers["town"][:3].tolist() == [0, 0, -1]
    assert table.numbers["pool"][0] == 1
    assert table.numbers["sold"][0] == datetime(2020, 2, 1, tzinfo=UTC).timestamp()
    assert table.numbers["price"][:3].tolist() == [1.5, 2, 3]


def test_canonical_form_of_parquet_has_the_columns_of_the_model(path: Path) -> None:
    content = canonical_csv(path, SCHEMA, Split(), CsvFormat())
    assert content.decode().splitlines()[:4] == [
        "area,town,pool,sold,price",
        "0.1,Ulm,True,2020-02-01,1.50",
        ",Ulm,True,2020-02-01,2.00",
        "5e-324,Bonn,,2020-02-01,3.00",
    ]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (pa.array([2**63 - 1]), "9223372036854775807"),
        (pa.array([1577836800123456789], pa.timestamp("ns")), "2020-01-01T00:00:00.123456"),
        (pa.array([1577836800123], pa.timestamp("ms", "Europe/Berlin")), "2020-01-01T01:00:00.123"),
        (pa.array([0.1], pa.float32()), "0.10000000149011612"),
        (pa.array([None], pa.null()), ""),
    ],
)
def test_value_becomes_text(tmp_path: Path, column: pa.Array, text: str) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": column}), path)
    _, (line, [cell]) = read_rows(path)
    assert line == 2
    assert cell.startswith(text)
    assert cell or not text


def test_text_with_nul_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"area": [1.0], "town": ["U\0lm"]}), path)
    with pytest.raises(DataError, match="a text of column 'town' has a NUL byte"):
        list(read_rows(path))


def test_damaged_name_of_a_column_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a_rather_long_name": [1.0]}), path)
    path.write_bytes(path.read_bytes().replace(b"a_rather_long_name", b"a_r\xff\xfeer_long_name"))
    with pytest.raises(DataError, match="is not a valid Parquet file"):
        list(read_rows(path))


def test_number_of_cells_has_a_limit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_file, "MAX_CELLS", 6000 * 6 - 1)
    with pytest.raises(DataError, match="6000 rows of 6 columns are more than 35999 cells"):
        read_table(path, SCHEMA)


def test_missing_library_has_a_hint(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_file, "find_spec", lambda _: None)
    with pytest.raises(LocalEnvironmentError) as caught:
        read_table(path, SCHEMA)
    assert caught.value.hint == "pip install 'housectl[parquet]'"
