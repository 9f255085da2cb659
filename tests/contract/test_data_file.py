"""Data files as real people write them, and hostile ones."""

import gzip
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from housectl.contract.data import text_file
from housectl.contract.data.csv_format import DEFAULT_FORMAT, CsvFormat
from housectl.contract.data.data_file import read_rows
from housectl.contract.data.table import read_table
from housectl.contract.data.text_file import FileKind, file_kind
from housectl.contract.schema import Feature, Schema, Target
from housectl.errors import DataError
from tests.contract.houses import COLUMNS, HEADER, ROWS, SCHEMA, csv_text, write_file

PLAIN = csv_text()


def with_comma(value: object) -> str:
    return str(value).replace(".", ",")


def grouped(value: object) -> str:
    return f'"{value:,}"'


def german(value: object) -> str:
    return f"{value:,}".translate(str.maketrans(",.", ".,"))


INDEXED = csv_text([(number, *row) for number, row in enumerate(ROWS)], header=("", *HEADER))
SEMICOLONS = CsvFormat(separator=";")

FORMATS = {
    "plain": (PLAIN, "utf-8", DEFAULT_FORMAT),
    "byte order mark": (PLAIN, "utf-8-sig", DEFAULT_FORMAT),
    "CRLF": (csv_text(end="\r\n"), "utf-8", DEFAULT_FORMAT),
    "CR": (csv_text(end="\r"), "utf-8", DEFAULT_FORMAT),
    "blank lines": (csv_text(end="\n\n"), "utf-8", DEFAULT_FORMAT),
    "blank first line": ("\n" + PLAIN, "utf-8", DEFAULT_FORMAT),
    "spaces around names": (
        csv_text(header=("  area ", " rooms", " score ", "price ")),
        "utf-8",
        DEFAULT_FORMAT,
    ),
    "space after comma": (csv_text(separator=", "), "utf-8", DEFAULT_FORMAT),
    "two decimals": (csv_text(show=lambda value: f"{value:.2f}"), "utf-8", DEFAULT_FORMAT),
    "plus signs": (csv_text(show=lambda value: f"+{value}"), "utf-8", DEFAULT_FORMAT),
    "scientific": (csv_text(show=lambda value: f"{value:.12e}"), "utf-8", DEFAULT_FORMAT),
    "empty cells after each row": (
        PLAIN.replace("\n", ",\n").replace(",\n", "\n", 1),
        "utf-8",
        DEFAULT_FORMAT,
    ),
    "nameless index": (INDEXED, "utf-8", DEFAULT_FORMAT),
    "nameless index of R": (INDEXED.replace(",area", '"",area', 1), "utf-8", DEFAULT_FORMAT),
    "index that pandas has read": (
        INDEXED.replace(",area", "Unnamed: 0,area", 1),
        "utf-8",
        DEFAULT_FORMAT,
    ),
    "UTF-16": (PLAIN, "utf-16", CsvFormat(encoding="utf-16")),
    "UTF-16 without mark": (PLAIN, "utf-16-le", CsvFormat(encoding="utf-16-le")),
    "Latin-1": (PLAIN, "latin-1", CsvFormat(encoding="latin-1")),
    "semicolons": (csv_text(separator=";"), "utf-8", SEMICOLONS),
    "tabs": (csv_text(separator="\t"), "utf-8", CsvFormat(separator="\t")),
    "decimal commas": (
        csv_text(separator=";", show=with_comma),
        "utf-8",
        CsvFormat(separator=";", decimal=","),
    ),
    "quoted decimal commas": (
        csv_text(show=lambda value: f'"{with_comma(value)}"'),
        "utf-8",
        CsvFormat(decimal=","),
    ),
    "quoted thousands": (csv_text(show=grouped), "utf-8", CsvFormat(thousands=",")),
    "German numbers": (
        csv_text(separator=";", show=german),
        "latin-1",
        CsvFormat(separator=";", decimal=",", thousands=".", encoding="latin-1"),
    ),
    "title": ("House prices\n\n" + PLAIN, "utf-8", CsvFormat(skip_lines=2)),
    "title, blank line not counted": ("Prices\n\n" + PLAIN, "utf-8", CsvFormat(skip_lines=1)),
    "separator of spreadsheets": (
        "sep=;\n" + csv_text(separator=";"),
        "utf-8",
        CsvFormat(separator=";", skip_lines=1),
    ),
    "footer": (PLAIN + "Total,,,123\n\n", "utf-8", CsvFormat(footer_lines=2)),
    "title with a quote": ('The "best" prices: 5"\n' + PLAIN, "utf-8", CsvFormat(skip_lines=1)),
}


@pytest.mark.parametrize("name", FORMATS)
def test_file_is_read_exactly(tmp_path: Path, name: str) -> None:
    text, encoding, csv_format = FORMATS[name]
    path = write_file(tmp_path / "houses.csv", text, encoding)
    table = read_table(path, SCHEMA, csv_format=csv_format)
    assert {name: list(column) for name, column in table.numbers.items()} == COLUMNS


def zipped(
    *names: str, content: bytes = PLAIN.encode(), method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name in names:
            archive.writestr(name, b"" if name.endswith("/") else content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (gzip.compress(PLAIN.encode()), FileKind.GZIP),
        (zipped("houses.csv"), FileKind.ZIP),
        (zipped("export/", "export/houses.txt"), FileKind.ZIP),
    ],
    ids=["gzip", "zip", "zip with directory"],
)
@pytest.mark.parametrize("name", ["houses.csv", "houses.csv.gz"])
def test_content_decides_about_compression(
    tmp_path: Path, name: str, content: bytes, kind: FileKind
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert file_kind(path) is kind
    assert read_table(path, SCHEMA).numbers["price"].tolist() == COLUMNS["price"]


def test_names_with_marks_of_every_kind_are_kept(tmp_path: Path) -> None:
    names = ("fläche m²", "房間", 'he said "hi"', "a,b", "area\nm2", "null", "class", "~", "x[0]<5")
    header = ['"' + name.replace('"', '""') + '"' for name in (*names, "price")]
    text = csv_text([(*range(len(names)), row) for row in range(120)], header=header)
    schema = Schema(
        features=tuple(Feature(name=name, minimum=0.0, maximum=9.0) for name in names),
        target=Target(name="price"),
    )
    table = read_table(write_file(tmp_path / "houses.csv", text), schema)
    assert [table.numbers[name][0] for name in names] == [*range(len(names))]


def test_lines_are_those_of_the_original_file(tmp_path: Path) -> None:
    text = 'title\r\n\r\na,b\r\n1,"x\r\ny"\r\n\r\n2,3\r\nfooter\r\n'
    path = write_file(tmp_path / "a.csv", text)
    rows = list(read_rows(path, CsvFormat(skip_lines=1, footer_lines=1)))
    assert rows == [(3, ["a", "b"]), (5, ["1", "x\r\ny"]), (7, ["2", "3"])]


def test_column_may_be_called_like_a_parquet_file(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.csv", "PAR1,price\n1,2\n")
    assert list(read_rows(path)) == [(1, ["PAR1", "price"]), (2, ["1", "2"])]


def test_empty_file_has_no_rows(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.csv", "")
    assert list(read_rows(path)) == []
    assert list(read_rows(path, CsvFormat(skip_lines=3, footer_lines=3))) == []


LONG = "9" * 2**17
WRONG = {
    "NUL": (PLAIN.replace("\n", "\n\0", 1), "utf-8", "line 2: the line is no row of a CSV file"),
    "open quote": (PLAIN + '1,"2,3,4\n', "utf-8", "line 122: the row is not CSV"),
    "open quote after blank lines": (
        csv_text(end="\n\n") + '1,"2,3,4\n',
        "utf-8",
        "line 243: the row is not CSV",
    ),
    "text after quote": (PLAIN + '1,"2"x,3,4\n', "utf-8", "line 122: the row is not CSV"),
    "quote that is never closed": (
        PLAIN.replace("\n", '\n"', 1) * 99,
        "utf-8",
        "line 2: the row is not CSV",
    ),
    "huge cell": (
        PLAIN + f"1,2,3,{LONG}9\n",
        "utf-8",
        "line 122: the row is not CSV: field larger",
    ),
    "short row": (PLAIN + "1,2\n", "utf-8", "line 122: the line has 2 cells, but the header has 4"),
    "long row": (PLAIN + "1,2,3,4,5\n", "utf-8", "line 122: the line has 5 cells"),
    "no header": (
        csv_text(header=[str(cell) for cell in ROWS[0]]),
        "utf-8",
        "line 1: the file has no",
    ),
    "header only": (csv_text([]), "utf-8", "has 0 rows of data"),
    "empty": ("", "utf-8", "line 1: the header is empty"),
    "semicolons": (csv_text(separator=";"), "utf-8", "line 1: the header has only one column"),
    "comment": ("# exported\n" + PLAIN, "utf-8", "line 1: the header has only one column"),
    "columns twice": (
        csv_text(header=("area", "rooms", "area", "price")),
        "utf-8",
        "column 'score' is missing; column 'area' occurs twice, as columns 1, 3",
    ),
    "nameless columns": (
        csv_text([(1, *row, 1) for row in ROWS], header=("", *HEADER, " ")),
        "utf-8",
        "column 'Unnamed: 5' is not in housectl.yaml",
    ),
    "Latin-1": (
        csv_text(header=("fläche", *HEADER[1:])),
        "latin-1",
        "line 1: the text is not in utf-8",
    ),
    "footer": (PLAIN + "Total,,,123\n", "utf-8", "line 122, column area: 'Total' is not a finite"),
    "row of units": (
        PLAIN.replace("\n", "\nm2,count,,EUR\n", 1),
        "utf-8",
        "line 2, column area: 'm2'",
    ),
    "hexadecimal": (
        csv_text(show=lambda value: hex(int(value))),
        "utf-8",
        "line 2, column area: '0x",
    ),
    "percent": (csv_text(show=lambda value: f"{value}%"), "utf-8", "line 2, column area: "),
    "integer over double": (PLAIN + f"1{'0' * 330},2,3,4\n", "utf-8", "line 122, column area"),
    "UTF-16 without name": (PLAIN, "utf-16", "the text is not in utf-8"),
}


@pytest.mark.parametrize("name", WRONG)
def test_error_names_the_line(tmp_path: Path, name: str) -> None:
    text, encoding, message = WRONG[name]
    path = write_file(tmp_path / "houses.csv", text, encoding)
    with pytest.raises(DataError) as caught:
        read_table(path, SCHEMA)
    assert message in caught.value.message


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_mixed_encodings_are_rejected(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "houses.csv"
    path.write_bytes(PLAIN.encode(encoding) + "1,2,3,é".encode() + b"\x81\xff")
    with pytest.raises(DataError, match=f"the text is not in {encoding}"):
        read_table(path, SCHEMA, csv_format=CsvFormat(encoding=encoding))


def test_wrong_byte_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "houses.csv"
    path.write_bytes(PLAIN.encode() * 99 + b"1,2,3,\xe9\n")
    with pytest.raises(DataError, match=f"line {121 * 99 + 1}: the text is not in utf-8"):
        list(read_rows(path))


def test_utf16_is_recognised_in_the_hint(tmp_path: Path) -> None:
    path = write_file(tmp_path / "houses.csv", PLAIN, "utf-16")
    with pytest.raises(DataError) as caught:
        read_table(path, SCHEMA)
    assert "csv: {encoding: utf-16}" in caught.value.hint


LZMA_ZIP = zipped("a.csv", method=zipfile.ZIP_LZMA)
DAMAGED = {
    "no file": (zipped("a/"), "is a ZIP archive of 0 files"),
    "two files": (zipped("a.csv", "b.csv"), "is a ZIP archive of 2 files, but exactly one is"),
    "workbook": (zipped("xl/workbook.xml", "[Content_Types].xml"), "is an Excel workbook"),
    "cut ZIP": (zipped("a.csv")[:-30], "cannot be unpacked"),
    "encrypted": (zipped("a.csv").replace(b"\x14\0\0\0", b"\x14\0\1\0"), "is encrypted"),
    "unknown method": (zipped("a.csv").replace(b"\x08\0", b"\x63\0"), "cannot be unpacked"),
    # The stream follows 30 bytes of header, the name, and 9 bytes of properties.
    "LZMA": (
        b"\xff".join((LZMA_ZIP[:44], LZMA_ZIP[45:])),
        "cannot be unpacked: Corrupt input data",
    ),
    "name of a ZIP member": (zipped("é.csv").replace("é".encode(), b"\xff\xfe"), "cannot be unp"),
    "cut gzip": (gzip.compress(PLAIN.encode())[:-30], "is damaged"),
    "wrong checksum": (gzip.compress(PLAIN.encode())[:-8] + b"12345678", "is damaged: CRC check"),
    "gzip": (b"\x1f\x8b\x08garbage", "is damaged"),
    "ZIP": (b"PK\x03\x04garbage", "cannot be unpacked"),
    "Parquet": (b"PAR1garbagePAR1", "is not a valid Parquet file"),
    "footer of Parquet": (b"PAR1\0\0\0\0PAR1", "is not a valid Parquet file: .*[^.]\\.$"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_archive_is_rejected(tmp_path: Path, name: str) -> None:
    content, message = DAMAGED[name]
    path = tmp_path / "houses.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_table(path, SCHEMA)


@pytest.mark.parametrize(
    "wrap", [gzip.compress, lambda content: zipped("a", content=content)], ids=["gzip", "zip"]
)
def test_archive_has_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrap: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(text_file, "MAX_UNPACKED_BYTES", 2**20)
    path = tmp_path / "bomb.csv"
    path.write_bytes(wrap(PLAIN.encode() + b"1,2,3,4\n" * 2**17))
    with pytest.raises(DataError, match="its content has more than 1 MiB"):
        read_table(path, SCHEMA)


@pytest.mark.parametrize("byte", [b"\0", b"a"], ids=["NUL", "letter"])
def test_bomb_of_one_line_ends_early(tmp_path: Path, byte: bytes) -> None:
    path = tmp_path / "bomb.csv"
    path.write_bytes(gzip.compress(byte * 2**25, compresslevel=1))
    with pytest.raises(DataError, match="line 1: the line is no row of a CSV file"):
        read_table(path, SCHEMA)


def test_header_of_a_million_columns_gives_a_short_error(tmp_path: Path) -> None:
    path = write_file(tmp_path / "wide.csv", ",".join(map(str, range(10**6))) + "\n")
    with pytest.raises(DataError) as caught:
        read_table(path, SCHEMA)
    assert len(caught.value.message) < 1000
    assert "it has 1000000 columns, but at most 20000 are allowed" in caught.value.message
    path.write_text("area" + ",area" * 10**4 + "\n")
    with pytest.raises(DataError, match="occurs 10001 times") as caught:
        read_table(path, SCHEMA)
    assert len(caught.value.message) < 1000


def test_pipe_is_rejected_without_waiting(tmp_path: Path) -> None:
    path = tmp_path / "houses.csv"
    os.mkfifo(path)
    with pytest.raises(DataError, match="Not a regular file"):
        read_table(path, SCHEMA)
