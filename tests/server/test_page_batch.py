"""CSV files on the page at /, in a real browser: parsing, predictions, progress and errors."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.server.browser import open_page
from tests.server.page_bundles import HOSTILE, page_bundle
from tests.server.running import RunningServer, running_bundle

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HEADER = f'area;rooms;"{HOSTILE.replace(chr(34), 2 * chr(34))}";pool;sold;built;note'
ROWS = (
    '80;3;"<b>""Orb"", Hessen</b>";yes;1999-05-01;02.01.1970;"two\nlines; and ""quotes"""',
    "120,5;;Ulm;0;1999-05-01T10:00:00;NA;",
)

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    path = tmp_path_factory.mktemp("batch")
    with running_bundle(path, page_bundle(path)) as server:
        yield server


@pytest.fixture(scope="module")
def page(server: RunningServer, browser: "Browser") -> Iterator["Page"]:
    with open_page(browser, server.url) as page:
        page.locator("#prediction", has_text="200").wait_for()
        yield page


def choose(page: "Page", text: str | bytes) -> None:
    """Choose a file with this content."""
    content = text.encode() if isinstance(text, str) else text
    page.set_input_files(
        "#file", files=[{"name": "flats.csv", "mimeType": "text/csv", "buffer": content}]
    )


def predictions(page: "Page", text: str) -> str:
    """Return the file with predictions for a file."""
    choose(page, text)
    with page.expect_download() as download:
        page.click("text=Download flats-predictions.csv")
    assert download.value.suggested_filename == "flats-predictions.csv"
    return download.value.path().read_bytes().decode()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2\n", [[1, ["a", "b"]], [2, ["1", "2"]]]),
        ("a;b\r\n\r\n1,5;2", [[1, ["a", "b"]], [3, ["1,5", "2"]]]),
        (
            '"a,x"\tb\n"1\n2"\t"3 ""4"""\n5\t',
            [[1, ["a,x", "b"]], [2, ["1\n2", '3 "4"']], [4, ["5", ""]]],
        ),
        ("a\r1\r2", [[1, ["a"]], [2, ["1"]], [3, ["2"]]]),
        ("", []),
    ],
)
@pytest.mark.parametrize("piece", [1, 1000])
def test_rows_are_parsed(page: "Page", text: str, rows: list[object], piece: int) -> None:
    parsed = page.evaluate(
        """async ([text, piece]) => {
          const { CsvParser } = await import("./page/csv.js");
          const parser = new CsvParser();
          const rows = [];
          for (let start = 0; start < text.length; start += piece) {
            rows.push(...parser.push(text.slice(start, start + piece)));
          }
          rows.push(...parser.end());
          return rows.map(({ line, cells }) => [line, cells]);
        }""",
        [text, piece],
    )
    assert parsed == rows


def test_file_gets_a_column_of_predictions(page: "Page") -> None:
    text = "\n".join([HEADER, *ROWS])
    assert predictions(page, "\ufeff" + text) == (
        f"{HEADER};predicted_price\n{ROWS[0]};200\n{ROWS[1]};450\n"
    )
    assert "2 rows predicted by version" in page.inner_text("#batch [role=status]")


def test_long_file_is_sent_in_batches(page: "Page") -> None:
    header = HEADER.replace(";", ",")
    rows = [f"{area},3,Ulm,true,1999-05-01,," for area in range(50, 150)] * 60
    with page.expect_request_finished(
        lambda request: request.url.endswith("/predict") and len(request.post_data or "") > 1000
    ):
        lines = predictions(page, "\n".join([header, *rows])).splitlines()
    assert len(lines) == 1 + len(rows)
    assert [line.rpartition(",")[2] for line in lines[1:]] == [
        "200" if area <= 100 else "450" for area in range(50, 150)
    ] * 60


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The file is empty."),
        (HEADER, "The file has a header and no rows."),
        ("area,rooms\n1,2\n", "Line 1: the header lacks 2 columns: "),
        ("area,area\n1,2\n", "Line 1: the column area occurs twice."),
        (f"{HEADER}\n1;2\n", "Line 2: the row has 2 cells, and the header 7."),
        (f'{HEADER}\n"1";"2\n', "Line 2: a quoted cell has no end."),
        (f'{HEADER}\n"1"x;2\n', "Line 2: a text follows the end of a quoted cell."),
        (
            f"{HEADER}\n{ROWS[0]}\n{ROWS[1].replace('120,5', 'large')}\n",
            "Line 4, column area: the value is not a number. Expected: a finite number",
        ),
        (
            f"{HEADER}\n{ROWS[1].replace('1999', '19x9')}\n",
            "Line 2, column sold: the value '19x9-05-01T10:00:00' is not an ISO 8601 date.",
        ),
        (b"area\xff", "The file is not UTF-8 text. Save it as CSV in UTF-8."),
    ],
)
def test_error_names_line_and_column(page: "Page", text: str | bytes, message: str) -> None:
    choose(page, text)
    page.locator("#batch .error-list", has_text=message).wait_for()
    assert (
        page.locator("#batch a.button").count() == 0 or page.locator("#batch a.button").is_hidden()
    )


def test_all_rows_are_named_if_all_are_invalid(page: "Page") -> None:
    row = ROWS[1].replace("120,5", "large")
    choose(page, "\n".join([HEADER, *[row] * 3000]))
    errors = page.locator("#batch .error-list li")
    errors.first.wait_for()
    assert errors.first.inner_text().startswith("Line 2, column area: the value is not a number")
    assert errors.count() <= 20


def test_file_can_be_dropped(page: "Page") -> None:
    page.evaluate(
        """(text) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([text], "dropped.csv"));
          const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
          document.querySelector(".drop").dispatchEvent(event);
        }""",
        "\n".join([HEADER, *ROWS]),
    )
    page.locator("text=Download dropped-predictions.csv").wait_for()


def test_example_can_be_predicted(page: "Page") -> None:
    with page.expect_download() as download:
        page.click("text=Download an example")
    assert "200" in predictions(page, download.value.path().read_text())
