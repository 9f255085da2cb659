import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from housectl.contract.bundle import read_bundle
from housectl.contract.files import atomic_directory, atomic_write
from housectl.contract.history import Action, HistoryEntry
from housectl.contract.inputs import read_inputs, write_inputs
from housectl.contract.metrics import Metrics, metric_lines, read_metric_line
from housectl.contract.recipe import ObjectiveFolds, Split
from housectl.contract.record import MalformedRecordError, Record, canonical_json
from housectl.contract.schema import Feature, Schema, Target
from housectl.contract.temp_files import (
    TEMP_PREFIX,
    remove_stale_temp_files,
    remove_temp_files_of,
    temp_path_for,
)
from housectl.errors import BundleError, HousectlError, InputsError, NewerFormatError
from tests.server.bundles import make_bundle

ENTRY = HistoryEntry(
    number=1,
    previous=None,
    action=Action.PROMOTION,
    bundle="0" * 64,
    at="2026-11-24T00:00:00+00:00",
    by="somebody@somewhere",
    reason="ä reason",
    holdout_mse=0.1,
    nonce="0" * 32,
)
RECORDS = [ENTRY, Metrics(mse=1e-300, fold_mses=(0.1, 2.0), holdout_mse=None)]


@pytest.mark.parametrize("record", RECORDS)
def test_records_survive_a_round_trip(record: Record) -> None:
    data = record.to_json()
    assert type(record).from_json(data) == record
    assert type(record).from_json(data).to_json() == data


def test_canonical_json_equals_pythons_compact_json() -> None:
    plain = json.dumps(
        json.loads(ENTRY.to_json()), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assert canonical_json(ENTRY).decode() == plain


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"\xff", b'{"number": 1}', ENTRY.to_json().replace(b"number", b"nummer")],
)
def test_invalid_record_is_rejected(data: bytes) -> None:
    with pytest.raises(MalformedRecordError):
        HistoryEntry.from_json(data)


def test_newer_format_is_rejected_with_its_number() -> None:
    newer = ENTRY.to_json().replace(b'"schema_version": 2', b'"schema_version": 7, "more": 1')
    with pytest.raises(NewerFormatError, match="format 7"):
        HistoryEntry.from_json(newer)


@pytest.mark.parametrize("version", ["0", "-5", "true", '"1"', "null", "1e999"])
def test_unknown_format_is_rejected(version: str) -> None:
    unknown = ENTRY.to_json().replace(
        b'"schema_version": 2', f'"schema_version": {version}'.encode()
    )
    with pytest.raises(MalformedRecordError):
        HistoryEntry.from_json(unknown)


def test_newer_format_with_the_same_fields_is_rejected() -> None:
    newer = ENTRY.to_json().replace(b'"schema_version": 2', b'"schema_version": 4')
    with pytest.raises(NewerFormatError, match="format 4"):
        HistoryEntry.from_json(newer)


def test_record_without_format_is_rejected() -> None:
    without = re.sub(rb',\s*"schema_version": 2', b"", ENTRY.to_json())
    with pytest.raises(MalformedRecordError, match="schema_version"):
        HistoryEntry.from_json(without)


def test_entry_of_the_first_format_has_no_nonce() -> None:
    first = re.sub(rb'\s*"nonce": .*', b"", ENTRY.to_json())
    first = first.replace(b'"schema_version": 2', b'"schema_version": 1')
    entry = HistoryEntry.from_json(first)
    assert (entry.schema_version, entry.nonce) == (1, None)
    assert entry.reason == ENTRY.reason


def test_deeply_nested_record_is_rejected() -> None:
    with pytest.raises(MalformedRecordError):
        HistoryEntry.from_json(b'{"schema_version": 1, "by": ' + b"[" * 100_000)


def test_records_are_immutable() -> None:
    with pytest.raises(AttributeError):
        ENTRY.number = 2  # type: ignore[misc]
    assert msgspec.structs.asdict(ENTRY)["number"] == 1


@pytest.mark.parametrize("mse", [float("nan"), float("inf"), -float("inf")])
def test_objective_that_is_not_finite_is_rejected(mse: float) -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        metric_lines(Metrics(mse=mse, fold_mses=()))


def test_only_a_pruned_trial_has_a_second_metric_line() -> None:
    metrics = Metrics(mse=2.5, fold_mses=(2.0, 3.0))
    assert metric_lines(metrics) == "mse=2.5"
    assert b"pruned" not in metrics.to_json()
    pruned = msgspec.structs.replace(metrics, pruned_after=2)
    assert metric_lines(pruned) == "mse=2.5\npruned_after=2"
    assert Metrics.from_json(pruned.to_json()) == pruned


@pytest.mark.parametrize(
    ("line", "mse"),
    [
        ("mse=9.123456789012345", 9.123456789012345),
        ("  mse=1e-05\n", 1e-05),
        ("best_mse=1", None),
        ("mse = 1", None),
        ("mse=", None),
        ("mse=nan", None),
        ("mse=1 mse=2", None),
    ],
)
def test_objective_is_read_from_a_metric_line(line: str, mse: float | None) -> None:
    assert read_metric_line(line) == mse


def test_failed_directory_write_leaves_no_files(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_directory(tmp_path / "result") as directory:
            (directory / "half").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_temporary_files_of_killed_writers_are_removed(tmp_path: Path) -> None:
    atomic_write(tmp_path / "kept", b"kept")
    (tmp_path / ".tmp-file").write_text("half")
    (tmp_path / ".tmp-directory").mkdir()
    remove_stale_temp_files(tmp_path, older_than=0.0)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


KILLED_WRITER = """
import os, signal, sys
from pathlib import Path
from housectl.contract.temp_files import temp_path_for

temp_path_for(Path(sys.argv[1]) / "file").write_text("half")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_next_writer_removes_temporary_files_of_killed_writers_only(tmp_path: Path) -> None:
    process = subprocess.run([sys.executable, "-c", KILLED_WRITER, str(tmp_path)], check=False)
    assert process.returncode == -signal.SIGKILL
    of_living_writer = temp_path_for(tmp_path / "file")
    of_living_writer.write_text("half")
    other_machine = of_living_writer.with_name(f"{TEMP_PREFIX}file-{'0' * 24}")
    other_machine.write_text("half")
    assert len(list(tmp_path.iterdir())) == 3
    atomic_write(tmp_path / "other", b"complete")
    assert {*tmp_path.iterdir()} == {of_living_writer, other_machine, tmp_path / "other"}


def test_temporary_files_of_another_name_are_kept(tmp_path: Path) -> None:
    own, other = temp_path_for(tmp_path / "t-1"), temp_path_for(tmp_path / "t-1-other")
    own.mkdir()
    other.mkdir()
    remove_temp_files_of(tmp_path / "t-1")
    assert list(tmp_path.iterdir()) == [other]


def test_recent_temporary_files_are_kept(tmp_path: Path) -> None:
    new, old = tmp_path / ".tmp-new", tmp_path / ".tmp-old"
    new.mkdir()
    old.mkdir()
    os.utime(old, (0, 0))
    remove_stale_temp_files(tmp_path, older_than=3600)
    assert [path.name for path in tmp_path.iterdir()] == [new.name]


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    data = tmp_path / "data.csv"
    data.write_text("a,t\n1,2\n")
    schema = Schema(
        features=(Feature(name="a", minimum=0.0, maximum=1.0),), target=Target(name="t")
    )
    return write_inputs(tmp_path / "inputs", data, schema=schema, split=Split(), seed=1).path


@pytest.mark.parametrize("name", ["data.csv", "recipe.json"])
def test_altered_inputs_are_rejected(inputs: Path, name: str) -> None:
    assert read_inputs(inputs).digest == inputs.name
    altered = inputs / name
    altered.write_text(altered.read_text().replace("1,2", "3,2").replace('"seed": 1', '"seed": 3'))
    with pytest.raises(InputsError):
        read_inputs(inputs)


def test_links_to_inputs_are_followed(inputs: Path) -> None:
    for path in list(inputs.iterdir()):
        target = path.rename(inputs.parent / path.name)
        path.symlink_to(target)
    assert read_inputs(inputs).digest == inputs.name


def test_data_file_may_be_a_link(inputs: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "data.csv")
    shared = read_inputs(inputs).shared
    linked = write_inputs(
        tmp_path, link, schema=shared.schema, split=shared.split, seed=shared.seed
    )
    assert linked.digest == inputs.name


def test_inputs_record_other_folds_only(inputs: Path, tmp_path: Path) -> None:
    shared = read_inputs(inputs).shared
    assert "folds" not in (inputs / "recipe.json").read_text()
    digests = {
        write_inputs(
            tmp_path / "inputs",
            tmp_path / "data.csv",
            schema=shared.schema,
            split=shared.split,
            seed=shared.seed,
            folds=folds,
        ).digest
        for folds in get_args(ObjectiveFolds)
    }
    assert len(digests) == 3
    assert inputs.name in digests


def test_inputs_with_another_name_are_rejected(inputs: Path) -> None:
    with pytest.raises(InputsError, match="has the digest"):
        read_inputs(inputs.rename(inputs.with_name("0" * 64)))


def test_hint_removes_only_directories_of_housectl(inputs: Path, tmp_path: Path) -> None:
    (inputs / "data.csv").write_text("altered")
    with pytest.raises(InputsError) as own:
        read_inputs(inputs)
    assert own.value.hint.startswith("rm -r ")
    with pytest.raises(InputsError) as of_user:
        read_inputs(inputs.rename(tmp_path / "my data"))
    assert "rm " not in of_user.value.hint


@pytest.mark.parametrize("name", ["model.onnx", "metrics.json", "golden.json", "bundle.json"])
def test_bundle_with_an_altered_byte_is_rejected(tmp_path: Path, name: str) -> None:
    bundle = make_bundle(tmp_path)
    assert read_bundle(Path(bundle.location), expected=bundle.digest).digest == bundle.digest
    file = Path(bundle.location) / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(HousectlError):
        read_bundle(Path(bundle.location), expected=bundle.digest)


@pytest.mark.parametrize("name", ["model.onnx", "bundle.json"])
def test_bundle_with_a_missing_file_is_rejected(tmp_path: Path, name: str) -> None:
    bundle = make_bundle(tmp_path)
    (Path(bundle.location) / name).unlink()
    with pytest.raises(BundleError):
        read_bundle(Path(bundle.location))


def test_provenance_does_not_change_a_bundles_digest(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path)
    record = Path(bundle.location) / "bundle.json"
    record.write_text(record.read_text().replace('"platform": "test"', '"platform": "moon"'))
    assert read_bundle(Path(bundle.location)).digest == bundle.digest


DECODE_IN_THREADS = """
import sys
from threading import Barrier, Thread
from housectl.contract.record import Record

sys.setswitchinterval(1e-6)

def decode(kind, data):
    barrier.wait()
    kind.from_json(data)

for _ in range(50):
    class Inner(Record): value: dict[str, int]; values: tuple[str, ...]
    globals()["Inner"] = Inner
    names = [f"field{number}" for number in range(12)]
    Outer = type(Record)("Outer", (Record,), {"__annotations__": dict.fromkeys(names, "Inner")})
    data = Outer(*[Inner({"a": 1}, ("b",)) for _ in names]).to_json()
    barrier = Barrier(8)
    threads = [Thread(target=decode, args=(Outer, data)) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


def test_many_threads_can_decode_the_first_record_of_a_class() -> None:
    subprocess.run([sys.executable, "-c", DECODE_IN_THREADS], check=True)
