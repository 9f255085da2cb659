"""Predictions for the rows of files, as a Python program and the command line get them."""

import csv
import gzip
import io
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from housectl.contract.bundle import Bundle
from housectl.contract.cells import Cell, read_row, write_row
from housectl.contract.data.csv_format import DEFAULT_FORMAT, CsvFormat
from housectl.contract.schema import Transform
from housectl.contract.scorer import open_bundle
from housectl.errors import DataError, LocalEnvironmentError, UsageError
from housectl.file_prediction import FilePrediction
from housectl.store.local import LocalStore
from tests.server.bundles import make_bundle, promote
from tests.trained_bundles import trained_bundle
from tests.trainer.mixed_data import mixed_dataset
from tools.project_directory import CommandOutput, ProjectDirectory, example

DATASET = mixed_dataset(transform=Transform.LOG)
SCHEMA = DATASET.shared.schema
CELLS = [write_row(SCHEMA, row) for row in DATASET.values.tolist()]
HEADER = ["note", *reversed(SCHEMA.feature_names), "note"]


def text(cell: Cell) -> str:
    return "" if cell is None else str(cell)


LINES = [["a, b", *map(text, reversed(row)), str(number)] for number, row in enumerate(CELLS)]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return trained_bundle(tmp_path_factory.mktemp("bundles") / "bundle", DATASET)


@pytest.fixture(scope="module")
def expected(bundle: Bundle) -> list[float]:
    rows = np.array([read_row(SCHEMA, row) for row in CELLS])
    return open_bundle(bundle).predict(rows)


def write_rows(path: Path, rows: Sequence[Sequence[str]], separator: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=separator).writerows(rows)
    return path


def prediction_of(
    bundle: Bundle, path: Path, *, explain: bool = False, csv_format: CsvFormat = DEFAULT_FORMAT
) -> FilePrediction:
    return FilePrediction(bundle=bundle, path=path, csv_format=csv_format, explain=explain)


def written(prediction: FilePrediction, separator: str = ",") -> list[list[str]]:
    output = io.StringIO()
    prediction.write_csv(output)
    return list(csv.reader(io.StringIO(output.getvalue()), delimiter=separator))


def test_all_columns_are_kept_and_predictions_are_the_scorers_bits(
    bundle: Bundle, expected: list[float], tmp_path: Path
) -> None:
    path = write_rows(tmp_path / "rows.csv", [HEADER, *LINES])
    header, *rows = written(prediction_of(bundle, path))
    assert header == [*HEADER, "prediction"]
    assert [row[:-1] for row in rows] == LINES
    assert [float(row[-1]) for row in rows] == expected


def test_contributions_and_baseline_add_up_to_the_logarithm(
    bundle: Bundle, expected: list[float], tmp_path: Path
) -> None:
    path = write_rows(tmp_path / "rows.csv", [HEADER, *LINES])
    prediction = prediction_of(bundle, path, explain=True)
    assert prediction.scale == "log"
    assert prediction.baseline is not None
    rows = list(prediction.rows())
    assert [row.line for row in rows] == list(range(2, len(LINES) + 2))
    for row, value in zip(rows, expected, strict=True):
        total = prediction.baseline + sum(row.contributions.values())
        assert total == pytest.approx(math.log(value), abs=1e-12)
    header, first, *_ = written(prediction)
    assert header[-7:] == [f"contribution:{name}" for name in SCHEMA.feature_names]
    assert [float(cell) for cell in first[-7:]] == list(rows[0].contributions.values())


def test_separator_and_decimal_mark_of_the_format_are_kept(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.csv", [["LSTAT", "RM"], ["1,5", "7,25"]], ";")
    csv_format = CsvFormat(separator=";", decimal=",")
    prediction = prediction_of(make_bundle(tmp_path, base=20.5), path, csv_format=csv_format)
    assert written(prediction, ";") == [["LSTAT", "RM", "predicted_price"], ["1,5", "7,25", "30,5"]]


@pytest.mark.parametrize("name", ["rows.csv.gz", "rows.parquet"])
def test_other_kinds_of_files_get_the_same_predictions(
    bundle: Bundle, expected: list[float], tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    if name.endswith("gz"):
        plain = write_rows(tmp_path / "rows.csv", [HEADER, *LINES])
        path.write_bytes(gzip.compress(plain.read_bytes()))
    else:
        columns = dict(zip(HEADER[1:-1], list(zip(*LINES, strict=True))[1:-1], strict=True))
        pyarrow.parquet.write_table(pa.table(columns), path)
    assert [row.prediction for row in prediction_of(bundle, path).rows()] == expected


def test_file_without_rows_has_no_predictions(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.csv", [["RM", "LSTAT"]])
    prediction = prediction_of(make_bundle(tmp_path), path)
    assert written(prediction) == [["RM", "LSTAT", "predicted_price"]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["RM"], ["1"]], "line 1: column 'LSTAT' is missing"),
        ([["RM", "LSTAT", "RM"], ["1", "2", "3"]], "line 1: column 'RM' occurs 2 times"),
        ([["RM", "LSTAT"], ["1", "2"], ["1"]], "line 3: the line has 1 cells"),
        ([["RM", "LSTAT"], ["1", "x"]], "line 2, column LSTAT: 'x' is not a finite number"),
        ([["RM", "LSTAT"], ["1", "2"], ["", "2"]], "line 3, column RM: the value is missing"),
        ([["RM", "LSTAT"], ["1", "1e39"]], "line 2, column LSTAT: the number is too large"),
        ([["RM", "LSTAT", "predicted_price"], ["1", "2", "3"]], "has a column 'predicted_price'"),
        ([], "line 1: column 'RM' is missing"),
    ],
)
def test_invalid_file_is_named_and_leaves_no_output(
    tmp_path: Path, rows: list[list[str]], message: str
) -> None:
    path = write_rows(tmp_path / "rows.csv", rows)
    output = tmp_path / "output.csv"
    output.write_text("earlier")
    prediction = prediction_of(make_bundle(tmp_path / "bundles"), path)
    with pytest.raises(DataError, match=message):
        prediction.write_csv(output)
    assert output.read_text() == "earlier"
    assert {each.name for each in tmp_path.iterdir()} == {"rows.csv", "output.csv", "bundles"}


def test_level_that_the_model_refuses_is_named(bundle: Bundle, tmp_path: Path) -> None:
    place = HEADER.index("class")
    changed = [*LINES[0][:place], "D", *LINES[0][place + 1 :]]
    path = write_rows(tmp_path / "rows.csv", [HEADER, LINES[1], changed])
    with pytest.raises(DataError, match="line 3, column class: 'D' is not one of its") as raised:
        list(prediction_of(bundle, path).rows())
    assert raised.value.hint.endswith("The model knows 'A', 'B', 'C'.")


def test_output_that_is_the_file_itself_is_refused(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.csv", [["RM", "LSTAT"], ["1", "2"]])
    prediction = prediction_of(make_bundle(tmp_path), path)
    with pytest.raises(UsageError, match="is the file with the rows"):
        prediction.write_csv(str(path))
    with pytest.raises(LocalEnvironmentError, match="Cannot write"):
        prediction.write_csv(tmp_path / "missing" / "output.csv")


def test_bundle_of_earlier_version_has_no_contributions(bundle: Bundle, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.csv", [HEADER, *LINES])
    earlier = replace(bundle, content={**bundle.content, "leaf_rows.bin": b""})
    del earlier.content["leaf_rows.bin"]  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="gives no contributions"):
        next(prediction_of(earlier, path, explain=True).rows())


@pytest.fixture(scope="module")
def project(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> ProjectDirectory:
    """A project whose champion has a predecessor, and a file with three rows."""
    path = tmp_path_factory.mktemp("projects") / "boston"
    project = example(".", path)
    store = LocalStore(project.store)
    promote(store, make_bundle(path.parent))
    promote(store, bundle)
    write_rows(path / "rows.csv", [HEADER, *LINES[:3]])
    return project


def test_command_prints_csv_or_json_or_writes_a_file(
    project: ProjectDirectory, bundle: Bundle, expected: list[float]
) -> None:
    printed = project.run_ok("predict", "rows.csv").out
    assert [float(row["prediction"]) for row in csv.DictReader(io.StringIO(printed))] == (
        expected[:3]
    )
    explained = project.run_ok("predict", "rows.csv", "--explain", "--json")
    values = explained.json
    rows = values["predictions"]
    assert isinstance(rows, list)
    assert [row["prediction"] for row in rows] == expected[:3]
    assert [*rows[0]["contributions"]] == list(SCHEMA.feature_names)
    assert (values["rows"], values["scale"], values["digest"]) == (3, "log", bundle.digest)
    assert "add up to the logarithm of the prediction" in explained.err
    summary = project.run_ok("predict", "rows.csv", "-o", "predicted.csv", "--json").json
    assert summary["rows"] == 3
    assert (project.path / "predicted.csv").read_text() == printed


def failed(output: CommandOutput, status: int) -> str:
    assert output.status == status, output
    message = json.loads(output.out)["error"]
    return f"{message['message']} {message['hint']}"


def test_errors_of_the_command(project: ProjectDirectory) -> None:
    assert "no such file" in failed(project.run("predict", "other.csv", "--json"), 2)
    earlier = LocalStore(project.store).history()[0].bundle[:12]
    wrong = failed(project.run("predict", "rows.csv", "--version", earlier, "--json"), 2)
    assert "rows.csv, line 1: column 'RM' is missing; column 'LSTAT' is missing" in wrong
