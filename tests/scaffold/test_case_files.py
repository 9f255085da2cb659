"""Drafts for data files as people have them, and the errors of unusable files."""

import gzip
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from housectl.contract.data.usable_data import read_usable_data
from housectl.contract.schema import Feature
from housectl.errors import DataError, HousectlError, UsageError
from housectl.project.config import ProjectConfig, load_config
from housectl.scaffold.draft import draft_project, write_draft
from tests.scaffold.case_files import (
    BODY,
    COMMAS,
    GERMAN,
    HEADER,
    HOUSES,
    PLAIN,
    QUOTED_COMMAS,
    THOUSANDS,
    changed,
    pick,
    table,
    with_column,
    with_gaps,
    zipped,
)

NUMBERS = {"area": "number", "rooms": "number", "score": "number"}
NULLABLE = {**NUMBERS, "rooms": "number?"}


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The outcome of a file; a type with a question mark is nullable.

    Attributes:
        notes: Words that the notes have, in their order.
        units: Units of columns.
    """

    csv: Mapping[str, object] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=lambda: NUMBERS)
    exclude: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    target: str = "price"


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """The error of a file."""

    message: str
    hint: str
    target: str = "price"


def missing(text: str) -> Expected:
    return Expected(csv={"missing": ("", text)}, types=NULLABLE)


def excluded(name: str, kind: str, *notes: str) -> Expected:
    return Expected(exclude={name: kind}, notes=notes)


def without(name: str, kind: str, *notes: str) -> Expected:
    types = {each: column for each, column in NUMBERS.items() if each != name}
    return Expected(types=types, exclude={name: kind}, notes=notes)


def feature(name: str, column: str, *notes: str) -> Expected:
    return Expected(types={name: column, **NUMBERS}, notes=notes)


RNG = random.Random(5)
SHUFFLED = RNG.sample(range(1000, 9000), len(HOUSES))

CASES: dict[str, tuple[str | bytes, Expected | Rejected]] = {
    "plain": (PLAIN, Expected()),
    "bom": (PLAIN.encode("utf-8-sig"), Expected()),
    "utf16": (PLAIN.encode("utf-16"), Expected(csv={"encoding": "utf-16"})),
    "utf16_without_mark": (PLAIN.encode("utf-16-le"), Expected(csv={"encoding": "utf-16-le"})),
    "latin1": (
        PLAIN.replace("area", "fläche").encode("latin-1"),
        Rejected(message="line 1: the text is not in UTF-8", hint="--encoding latin-1"),
    ),
    "cp1252": (
        PLAIN.replace("price", "price €").encode("cp1252"),
        Rejected(message="line 1: the text is not in UTF-8", hint="--encoding cp1252"),
    ),
    "gzip": (gzip.compress(PLAIN.encode()), Expected()),
    "zip": (zipped(PLAIN), Expected()),
    "crlf": (table(HEADER, HOUSES, newline="\r\n"), Expected()),
    "cr": (table(HEADER, HOUSES, newline="\r"), Expected()),
    "blank_lines": (table(HEADER, HOUSES, newline="\n\n"), Expected()),
    "semicolon": (table(HEADER, HOUSES, separator=";"), Expected(csv={"separator": ";"})),
    "tab": (table(HEADER, HOUSES, separator="\t"), Expected(csv={"separator": "\t"})),
    "pipe": (table(HEADER, HOUSES, separator="|"), Expected(csv={"separator": "|"})),
    "space_after_comma": (table(HEADER, HOUSES, separator=", "), Expected()),
    "spaces": (table(("  area ", " rooms", " score ", "price "), HOUSES), Expected()),
    "sep": ("sep=,\n" + PLAIN, Expected(csv={"skip_lines": 1})),
    "sep_semicolon": (
        "sep=;\r\n" + table(HEADER, HOUSES, separator=";"),
        Expected(csv={"separator": ";", "skip_lines": 1}),
    ),
    "decimalcomma": (
        table(HEADER, COMMAS, separator=";"),
        Expected(csv={"separator": ";", "decimal": ","}),
    ),
    "quoted_decimalcomma": (table(HEADER, QUOTED_COMMAS), Expected(csv={"decimal": ","})),
    "german": (
        table(HEADER, GERMAN, separator=";"),
        Expected(csv={"separator": ";", "decimal": ",", "thousands": "."}),
    ),
    "thousands": (table(HEADER, THOUSANDS), Expected(csv={"thousands": ","})),
    "thousands_of_one_column": (
        changed("area", lambda _, cell: f'"{cell:,}"'),
        Expected(csv={"thousands": ","}),
    ),
    "currency": (
        changed("price", lambda _, cell: f"${cell}"),
        Expected(csv={"symbols": ("$",)}, units={"price": "$"}),
    ),
    "percent": (
        changed("score", lambda _, cell: f"{cell}%"),
        Expected(csv={"symbols": ("%",)}, units={"score": "%"}),
    ),
    "comment": ("# exported 2026\n" + PLAIN, Expected(csv={"skip_lines": 1})),
    "title": ("House prices\n\n" + PLAIN, Expected(csv={"skip_lines": 2})),
    "footer": (PLAIN + "Total,,,123\n", Expected(csv={"footer_lines": 1})),
    "source": (PLAIN + "\nSource: the land registry\n", Expected(csv={"footer_lines": 2})),
    "units_row": (
        "area,rooms,score,price\nm2,count,,EUR\n" + BODY,
        Expected(csv={"units_row": True}, units={"area": "m2", "rooms": "count", "price": "EUR"}),
    ),
    "trailing_rows": (",".join(HEADER) + "\n" + BODY.replace("\n", ",\n"), Expected()),
    "trailing_all": (PLAIN.replace("\n", ",\n"), excluded("Unnamed: 4", "no values")),
    "index_unnamed": (with_column("", lambda row: row), excluded("Unnamed: 0", "index")),
    "index_named": (with_column("Unnamed: 0", lambda row: row), excluded("Unnamed: 0", "index")),
    "rownames": (
        with_column('""', lambda row: f'"row {row}"'),
        excluded("Unnamed: 0", "index"),
    ),
    "rownames_without_name": (
        ",".join(HEADER) + "\n" + "".join(f"r{i},{line}\n" for i, line in enumerate(BODY.split())),
        Rejected(message="the line has 5 cells, but the header has 4", hint="sed -n 2p"),
    ),
    "duplicate_header": (
        PLAIN.replace("score", "area", 1),
        Rejected(message="'area' is that of columns 1 and 3", hint="rename the columns"),
    ),
    "duplicate_header_of_gzip": (
        gzip.compress(("houses\n\n" + PLAIN.replace("score", "area", 1)).encode()),
        Rejected(message="'area' is that of columns 1 and 3", hint=" | sed -n 3p   # then rename"),
    ),
    "no_header": (BODY, Rejected(message="has no header", hint="seq -s , -f column%g 1 4")),
    "no_header_but_equal_cells": (
        table((*HOUSES[0][2:3] * 2, 7), [(row[2], row[2], row[3]) for row in HOUSES]),
        Rejected(message="has no header", hint="column3"),
    ),
    "no_header_but_categories": (
        with_column("Ulm", pick("Ulm", "Bonn")).replace("area,rooms,score,price", "1,2,3,4", 1),
        Rejected(message="has no header", hint="column5"),
    ),
    "empty": ("", Rejected(message="the file is empty", hint="ls -l")),
    "header_only": ("area,price\n", Rejected(message="no rows of data", hint="wc -l")),
    "one_column": (
        "price\n" + "".join(f"{row[3]}\n" for row in HOUSES),
        Rejected(message="only one column", hint="separate the columns by commas"),
    ),
    "99_rows": (
        table(HEADER, HOUSES[:99]),
        Rejected(message="99 rows", hint="add rows"),
    ),
    "nul": (
        PLAIN.replace("\n", "\n\0", 1),
        Rejected(message="line 2", hint="export the data again"),
    ),
    "short_row": (PLAIN + "1,2\n", Rejected(message="line 122", hint="sed -n 122p")),
    "long_row": (PLAIN + "1,2,3,4,5\n", Rejected(message="line 122", hint="sed -n 122p")),
    "short_row_inside": (
        PLAIN.replace("\n", "\n1,2\n", 1),
        Rejected(message="line 2: the line has 2 cells", hint="sed -n 2p"),
    ),
    "open_quote": (PLAIN + '1,"2,3,4\n', Rejected(message="line 122", hint="Close the quotes")),
    **{
        f"missing_{text}": (with_gaps(text), missing(text)) for text in ("NA", "N/A", "nan", "NULL")
    },
    **{f"missing_{text}": (with_gaps(text), missing(text)) for text in ("None", "?", "-", ".")},
    **{f"missing_{text}": (with_gaps(text), missing(text)) for text in ("#N/A", "missing", "n/k")},
    "missing_empty": (with_gaps(""), Expected(types=NULLABLE)),
    "missing_twice": (
        changed("rooms", lambda row, cell: ["NA", "?", cell][min(row % 9, 2)]),
        Expected(csv={"missing": ("", "?", "NA")}, types=NULLABLE),
    ),
    "infinite": (
        with_gaps("inf"),
        Expected(
            csv={"missing": ("", "inf")},
            types=NULLABLE,
            notes=("Infinite numbers of rooms count as missing: inf.",),
        ),
    ),
    "sentinel": (
        with_gaps("-999"),
        Expected(notes=("12 cells of rooms are -999, far from its other numbers; if they mean",)),
    ),
    "missing_target": (
        changed("price", lambda row, cell: "NA" if row == 50 else cell),
        Expected(csv={"missing": ("", "NA")}, notes=("1 of 120 rows have no price",)),
    ),
    "all_missing": (
        with_column("odd", lambda _: "NA"),
        Expected(csv={"missing": ("", "NA")}, exclude={"odd": "no values"}),
    ),
    "constant": (with_column("odd", lambda _: "4"), excluded("odd", "constant")),
    "typing_error": (
        changed("rooms", lambda row, cell: "three" if row == 7 else cell),
        without("rooms", "numbers and text", "correct the text in line 9"),
    ),
    "boolean": (with_column("pool", pick("TRUE", "FALSE")), feature("pool", "boolean")),
    "yes_no": (
        with_column("pool", pick("yes", "no", "NA")),
        Expected(csv={"missing": ("", "NA")}, types={"pool": "boolean?", **NUMBERS}),
    ),
    "zero_one": (with_column("pool", pick("0", "1")), feature("pool", "number")),
    "category": (with_column("town", pick("Ulm", "Bonn", "no")), feature("town", "category")),
    "case_of_levels": (
        with_column("town", pick("Ulm", "ulm", "Bonn")),
        feature("town", "category", "'Ulm' and 'ulm'"),
    ),
    "iso_dates": (
        with_column("sold", pick("2024-09-16", "2024-10-02", "2023-01-31")),
        feature("sold", "datetime iso8601"),
    ),
    "iso_times": (
        with_column("sold", pick("2024-09-16T10:15:00Z", "2024-10-02T23:59:59+02:00")),
        feature("sold", "datetime iso8601"),
    ),
    "german_dates": (
        with_column("sold", pick("16.09.2024", "2.10.2024", "31.01.2023")),
        feature("sold", "datetime %d.%m.%Y"),
    ),
    "month_first": (
        with_column("sold", pick("09/16/2024", "10/02/2024", "01/31/2023")),
        feature("sold", "datetime %m/%d/%Y"),
    ),
    "ambiguous_dates": (
        with_column("sold", pick("09/06/2024", "10/02/2024", "01/11/2023")),
        feature("sold", "datetime %m/%d/%Y", 'read as "%m/%d/%Y", but its dates also fit'),
    ),
    "sorted_dates": (
        with_column("sold", lambda row: f"{row % 12 + 1:02}/{row // 12 + 1:02}/2024"),
        feature("sold", "datetime %d/%m/%Y", "The rows are in the order of sold"),
    ),
    "eight_digits": (
        with_column("sold", pick("20240916", "20241002", "20230131")),
        feature("sold", "datetime iso8601"),
    ),
    "month_names": (
        with_column("sold", pick("3 Sep 2024", "12 Oct 2023")),
        feature("sold", "datetime %d %b %Y"),
    ),
    "identifier": (with_column("id", lambda row: row + 1), excluded("id", "identifier")),
    "shuffled_identifier": (
        with_column("house_id", lambda row: SHUFFLED[row]),
        excluded("house_id", "identifier"),
    ),
    "years": (
        with_column("year", lambda row: 1900 + row),
        feature("year", "number", "in the order of year"),
    ),
    "texts_of_rows": (
        with_column("code", lambda row: f"x{SHUFFLED[row]}"),
        excluded("code", "identifier"),
    ),
    "free_text": (
        with_column("comment", lambda row: f"House {row} is close to the sea"),
        excluded("comment", "free text"),
    ),
    "e_mail": (
        with_column("contact", lambda row: f"p{row}@example.org"),
        excluded("contact", "personal data"),
    ),
    "phone": (
        with_column("number", lambda row: f"+49 30 {SHUFFLED[row]}"),
        excluded("number", "personal data"),
    ),
    "surnames": (
        with_column("surname", lambda row: f"Name{row % 20}"),
        excluded("surname", "personal data"),
    ),
    "zip_codes": (
        with_column("zip", pick("01067", "04103", "10115")),
        feature("zip", "category"),
    ),
    "rare_texts": (with_column("town", lambda row: f"t{row % 55}"), excluded("town", "rare texts")),
    "scientific": (changed("area", lambda _, cell: f"{cell:.3e}"), Expected()),
    "plus": (changed("area", lambda _, cell: f"+{cell}"), Expected()),
    "hexadecimal": (
        changed("area", lambda _, cell: f"{cell:#x}"),
        without("area", "numbers in another notation", "decimal digits"),
    ),
    "underscores": (
        changed("area", lambda _, cell: f"{cell}_000"),
        without("area", "numbers in another notation", "decimal digits"),
    ),
    "arabic_digits": (
        changed(
            "area", lambda _, cell: str(cell).translate({48 + n: 0x660 + n for n in range(10)})
        ),
        without("area", "numbers in another notation", "decimal digits"),
    ),
    "huge_integers": (
        with_column("account", lambda row: 10**17 + 7919 * SHUFFLED[row]),
        excluded("account", "identifier"),
    ),
    "beyond_float64": (
        with_column("big", lambda row: 10**330 + SHUFFLED[row]),
        excluded("big", "numbers beyond float64"),
    ),
    "beyond_float32": (
        with_column("mass", lambda row: repr(1e36 * SHUFFLED[row])),
        excluded("mass", "numbers beyond float32", "mass can be used: divide"),
    ),
    "equal_in_float32": (
        with_column("lat", lambda row: repr(52.123456 + SHUFFLED[row] * 1e-12)),
        excluded("lat", "numbers that are equal in float32", "subtract a constant"),
    ),
    "milliseconds": (
        with_column("ts", lambda row: 1700000000000 + 13 * SHUFFLED[row]),
        feature("ts", "number", "ts has 120 different numbers, of which trees see"),
    ),
    "names_in_quotes": (
        table(('"he said ""hi"""', '"a,b"', "it's", "price"), HOUSES),
        Expected(types={'he said "hi"': "number", "a,b": "number", "it's": "number"}),
    ),
    "line_break_in_name": (
        table(('"area\nm2"', "rooms", "score", "price"), HOUSES),
        Expected(types={"area\nm2": "number", "rooms": "number", "score": "number"}),
    ),
    "words_of_yaml": (
        table(("no", "null", "1e5", "~"), HOUSES),
        Expected(types={"no": "number", "null": "number", "1e5": "number"}, target="~"),
    ),
    "names_that_differ_in_case": (
        table(("Area", "area", "score", "price"), HOUSES),
        Expected(types={"Area": "number", "area": "number", "score": "number"}),
    ),
    "other_alphabets": (
        table(("fläche m²", "房間", "score (0…10)", "price €"), HOUSES),
        Expected(
            types={"fläche m²": "number", "房間": "number", "score (0…10)": "number"},
            target="price €",
        ),
    ),
    "constant_target": (
        changed("price", lambda *_: 5),
        Rejected(message="it is constant", hint="Choose a column that varies."),
    ),
    "text_target": (
        with_column("town", pick("Ulm", "Bonn")),
        Rejected(message="housectl predicts numbers", hint="--target COLUMN", target="town"),
    ),
    "typing_error_in_target": (
        changed("price", lambda row, cell: "cheap" if row == 3 else cell),
        Rejected(
            message="1 of its cells are text, the first in line 5: 'cheap'", hint="empty them"
        ),
    ),
    "target_beyond_float32": (changed("price", lambda _, cell: repr(cell * 1e38)), Expected()),
    "target_beyond_float64": (
        changed("price", lambda row, _: f"{row + 1}e308"),
        Rejected(message="more than 308 digits", hint="Express price in a larger unit"),
    ),
    "target_without_values": (
        changed("price", lambda *_: "NA"),
        Rejected(message="all its cells are missing", hint="another target"),
    ),
    "no_feature": (
        table(("town", "price"), [("Ulm", row[3]) for row in HOUSES]),
        Rejected(message="no usable feature column. town: all cells", hint="add a column"),
    ),
}


def described_type(feature: Feature) -> str:
    column = feature.type
    name = type(column).__name__.lower()
    date_format = f" {column.format}" if name == "datetime" else ""
    return f"{name}{date_format}{'?' if column.nullable else ''}"


def draft(path: Path, content: str | bytes, target: str) -> tuple[ProjectConfig, tuple[str, ...]]:
    """Draft a project file, load it, and read the data with it as a trainer does."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    drafted = draft_project(path, target, root=path.parent)
    file = path.parent / "housectl.yaml"
    write_draft(drafted, file)
    config = load_config(file)
    read_usable_data(
        path,
        config.schema_record,
        split=config.split_record,
        seed=config.seed,
        csv_format=config.csv_format,
    )
    return config, drafted.notes


@pytest.mark.parametrize("name", [name for name in CASES if isinstance(CASES[name][1], Expected)])
def test_file_is_drafted_as_expected(tmp_path: Path, name: str) -> None:
    content, expected = CASES[name]
    assert isinstance(expected, Expected)
    config, notes = draft(tmp_path / "houses.csv", content, expected.target)
    schema = config.schema_record
    assert config.csv_format.differences == expected.csv
    assert {each.name: described_type(each) for each in schema.features} == expected.types
    assert config.exclude == expected.exclude
    units = {each.name: each.unit for each in (*schema.features, schema.target) if each.unit}
    assert units == expected.units
    assert len(notes) == len(expected.notes), notes
    for note, words in zip(notes, expected.notes, strict=True):
        assert words in note


@pytest.mark.parametrize("name", [name for name in CASES if isinstance(CASES[name][1], Rejected)])
def test_file_is_rejected_with_a_hint(tmp_path: Path, name: str) -> None:
    content, expected = CASES[name]
    assert isinstance(expected, Rejected)
    with pytest.raises(HousectlError) as caught:
        draft(tmp_path / "houses.csv", content, expected.target)
    assert isinstance(caught.value, DataError | UsageError)
    assert expected.message in caught.value.message
    assert expected.hint in caught.value.hint
