import pytest

from housectl.contract.data.csv_format import CsvFormat

GERMAN = CsvFormat(decimal=",", thousands=".")
ENGLISH = CsvFormat(thousands=",")
SWISS = CsvFormat(thousands="\u2019")
FRENCH = CsvFormat(decimal=",", thousands="\u202f")
COMMA = CsvFormat(decimal=",")


@pytest.mark.parametrize(
    ("csv_format", "text", "expected"),
    [
        (GERMAN, "1.234,5", "1234.5"),
        (GERMAN, " -1.234.567 ", "-1234567"),
        (GERMAN, "1234567,8", "1234567.8"),
        (GERMAN, "+,5", "+.5"),
        (GERMAN, "1,5e-3", "1.5e-3"),
        (GERMAN, "1.5", None),
        (GERMAN, "12.34.567", None),
        (GERMAN, "1234.567", None),
        (GERMAN, "1,234.5", None),
        (GERMAN, "1,2,3", None),
        (ENGLISH, "1,234,567.89", "1234567.89"),
        (ENGLISH, "1,5", None),
        (ENGLISH, "1,23", None),
        (SWISS, "1\u2019234.5", "1234.5"),
        (FRENCH, "1\u202f234,5", "1234.5"),
        (COMMA, "0,5", "0.5"),
        (COMMA, "0.5", None),
        (COMMA, "1e5", "1e5"),
        (COMMA, "house", None),
        (COMMA, "e5", None),
        (CsvFormat(symbols=("$",)), "$ 1.5", "1.5"),
        (CsvFormat(symbols=("$",)), "$", None),
        (CsvFormat(), "1.5", "1.5"),
    ],
)
def test_number_has_the_notation_of_its_format(
    csv_format: CsvFormat, text: str, expected: str | None
) -> None:
    assert csv_format.plain_number(text) == expected


def test_empty_cells_are_always_missing() -> None:
    csv_format = CsvFormat(missing=("NA", "-999"))
    cells = ["", "  ", " NA ", "na", "-999", "-999.0"]
    assert [csv_format.is_missing(cell) for cell in cells] == [True, True, True, False, True, False]
    assert list(csv_format.find_missing(cells)) == list(map(csv_format.is_missing, cells))
    assert csv_format.has_missing_number
