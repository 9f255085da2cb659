"""Bundles with invalid files: each is refused, although its digests are right."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from housectl.contract.bundle import read_bundle
from housectl.contract.golden import MAX_GOLDEN_ROWS
from housectl.contract.scorer import open_bundle
from housectl.errors import BundleError
from tests.contract.bundle_files import read_files, sha256, with_new_digests, write_files
from tests.server.bundles import make_bundle

RECORDS = ["bundle.json", "golden.json", "metrics.json"]
FILES = [*RECORDS, "model.onnx", "model.joblib"]
DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return Path(make_bundle(tmp_path).location)


def rewrite(directory: Path, name: str, edit: Callable[[bytes], bytes]) -> Path:
    """Return a copy of the bundle with an edited file and right digests."""
    files = read_files(directory)
    if name == "bundle.json":
        files[name] = edit(files[name])
    else:
        files = with_new_digests({**files, name: edit(files[name])})
    copy = directory.with_name("copy")
    write_files(copy, files)
    return copy


def assert_refused(directory: Path, match: str = "is invalid") -> None:
    with pytest.raises(BundleError, match=match):
        open_bundle(read_bundle(directory))


def test_bundle_with_new_digests_is_accepted(directory: Path) -> None:
    copy = rewrite(directory, "golden.json", lambda data: json.dumps(json.loads(data)).encode())
    assert open_bundle(read_bundle(copy)).predict([[4.0, 1.0]]) == [20.0]


def with_golden(**changes: object) -> Callable[[bytes], bytes]:
    return lambda data: json.dumps({**json.loads(data), **changes}).encode()


ROW = {"row": [4.0, 1.0], "prediction": 20.0}


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (with_golden(rows=[ROW, {**ROW, "row": [4.0]}]), "does not have 2 values"),
        (with_golden(rows=[{**ROW, "row": [4.0, 1.0, 1.0]}]), "does not have 2 values"),
        (with_golden(rows=[{**ROW, "row": []}]), "does not have 2 values"),
        (with_golden(rows=[{**ROW, "row": [[], 1.0]}]), "Expected `float | bool | str | null`"),
        (with_golden(rows=[]), "length >= 1"),
        (with_golden(rows=[ROW] * (MAX_GOLDEN_ROWS + 1)), f"length <= {MAX_GOLDEN_ROWS}"),
        (with_golden(rows=[{**ROW, "prediction": 21.0}]), "1 of 1 golden rows differ"),
        (with_golden(rows=[{**ROW, "prediction": float("nan")}]), "malformed"),
        (with_golden(tolerance=-1.0), ">= 0"),
        (with_golden(tolerance=float("inf")), "malformed"),
        (with_golden(features=["LSTAT", "RM"]), "other features"),
        (with_golden(features=["RM"], rows=[{**ROW, "row": [4.0]}]), "other features"),
        (lambda data: data.replace(b"30.0", b"1e999"), "out of range"),
        (lambda data: data.replace(b"30.0", b"9" * 5000), "out of range"),
        (lambda data: data.replace(b"30.0", DEEP), "is invalid"),
        (lambda data: data.replace(b'"rows"', b'"more": ' + DEEP + b', "rows"'), "is invalid"),
    ],
)
def test_invalid_golden_rows_are_refused(
    directory: Path, edit: Callable[[bytes], bytes], match: str
) -> None:
    assert_refused(rewrite(directory, "golden.json", edit), match)


@pytest.mark.parametrize("value", [b"-9.0", b"NaN", b"1e999", b"null"])
def test_invalid_metrics_are_refused(directory: Path, value: bytes) -> None:
    def edit(data: bytes) -> bytes:
        return data.replace(b'"holdout_mse": 9.0', b'"holdout_mse": ' + value)

    assert_refused(rewrite(directory, "metrics.json", edit), "metrics|Expected|malformed|range")


@pytest.mark.parametrize("name", RECORDS)
def test_deeply_nested_json_is_refused(directory: Path, name: str) -> None:
    assert_refused(rewrite(directory, name, lambda _: DEEP))


def with_record(edit: Callable[[dict[str, object]], object]) -> Callable[[bytes], bytes]:
    def changed(data: bytes) -> bytes:
        record = json.loads(data)
        edit(record)
        return json.dumps(record).encode()

    return changed


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (lambda record: record["files"].pop("model.onnx"), "has no model.onnx"),
        (lambda record: record["files"].pop("golden.json"), "has no golden.json"),
        (lambda record: record["files"].update({"../model.onnx": "0" * 64}), "no bundle has"),
        (lambda record: record["files"].update({"/dev/zero": "0" * 64}), "no bundle has"),
        (lambda record: record["files"].update({"a\0b": "0" * 64}), "no bundle has"),
        (lambda record: record["files"].update({"": "0" * 64}), "no bundle has"),
        (lambda record: record["files"].update({"model.ubj": "0" * 64}), "no bundle has"),
        (lambda record: record["files"].update({"reference.json": "0" * 64}), "of version 1"),
        (lambda record: record.update(schema_version=2), "of version 2 and has other files"),
        (lambda record: record["recipe"].update(features=["LSTAT", "RM"]), "different features"),
        (lambda record: record["schema"]["features"].pop(), "different features"),
        (lambda record: record["schema"]["target"].update(name="RM"), "occurs twice"),
        (
            lambda record: record["schema"]["exclusions"].append({"name": "RM", "reason": ""}),
            "twice",
        ),
    ],
)
def test_invalid_record_is_refused(
    directory: Path, edit: Callable[[dict[str, object]], object], match: str
) -> None:
    assert_refused(rewrite(directory, "bundle.json", with_record(edit)), match)


def make_broken_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("moved")


def make_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def make_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_sparse(path: Path) -> None:
    """Give a file 10 GB, which need no space on the disk."""
    with path.open("r+b") as file:
        file.truncate(10 * 10**9)


def test_rows_of_another_number_of_leaves_are_refused(directory: Path) -> None:
    files = read_files(directory)
    record = json.loads(files["bundle.json"])
    record.update(schema_version=2, files={**record["files"], "leaf_rows.bin": ""})
    changed = {**files, "bundle.json": json.dumps(record).encode(), "leaf_rows.bin": b"0" * 12}
    copy = directory.with_name("copy")
    write_files(copy, with_new_digests(changed))
    assert_refused(copy, "leaf_rows.bin is invalid: the numbers of rows have 12 bytes instead of 8")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("replace", "match"),
    [
        (make_broken_link, "No such file"),
        (make_fifo, "Not a regular file"),
        (make_directory, "Not a regular file"),
        (make_sparse, "Larger than"),
    ],
)
def test_other_kinds_of_files_are_refused(
    directory: Path, name: str, replace: Callable[[Path], None], match: str
) -> None:
    assert open_bundle(read_bundle(directory))
    replace(directory / name)
    assert_refused(directory, match)


def test_large_records_are_refused_before_they_are_parsed(directory: Path) -> None:
    copy = rewrite(directory, "golden.json", lambda data: data + b" " * 5 * 2**20)
    assert len(read_files(copy)["golden.json"]) > 5 * 2**20
    assert_refused(copy, "Larger than")


def test_digests_of_the_helpers_are_those_of_housectl(directory: Path) -> None:
    files = read_files(directory)
    record = json.loads(files["bundle.json"])
    assert record["files"] == {name: sha256(files[name]) for name in record["files"]}
