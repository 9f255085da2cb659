"""The journal of a local search: complete lines survive kills, full disks and altered files."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from housectl.backends.local.records import TrialRecord
from housectl.backends.local.trial_journal import TrialJournal
from housectl.contract.families import Family
from housectl.contract.record import canonical_json
from housectl.errors import LocalEnvironmentError, NewerFormatError
from housectl.experiment import Trial, TrialState


def record(number: int, *, finished: bool = False) -> TrialRecord:
    trial = Trial(
        number=number,
        name=f"{number:04}",
        family=Family.XGBOOST,
        assignment={"max_depth": number},
        state=TrialState.RUNNING,
        started=number / 3,
    )
    if not finished:
        return TrialRecord(trial=trial)
    ended = replace(trial, state=TrialState.SUCCEEDED, mse=number / 7, finished=number + 1.0)
    return TrialRecord(trial=ended, fold_mses=(1.0, number / 7))


def journal_in(directory: Path) -> TrialJournal:
    return TrialJournal(directory / "trials.jsonl", earlier=directory / "trials")


def test_last_record_of_a_trial_counts(tmp_path: Path) -> None:
    journal, reader = journal_in(tmp_path), journal_in(tmp_path)
    assert reader.records() == []
    revisions = {reader.revision()}
    for each in (record(0), record(2), record(0, finished=True), record(1, finished=True)):
        journal.append(each, durable=True)
        revisions.add(reader.revision())
        reader.records()
    assert len(revisions) == 5
    expected = [record(0, finished=True), record(1, finished=True), record(2)]
    assert reader.records() == journal.records() == journal_in(tmp_path).records() == expected
    assert reader.finished_records() == expected[:2]


def test_incomplete_line_is_ignored_and_overwritten(tmp_path: Path) -> None:
    """A journal is cut at each byte, as by a kill or a full disk."""
    lines = [canonical_json(record(number, finished=True)) + b"\n" for number in range(3)]
    text = b"".join(lines)
    for length in range(len(text) + 1):
        path = tmp_path / f"{length}"
        path.mkdir()
        (path / "trials.jsonl").write_bytes(text[:length])
        complete = text[:length].count(b"\n")
        reader = journal_in(path)
        assert [each.number for each in reader.trials()] == list(range(complete))
        journal_in(path).append(record(9), durable=False)
        assert [each.number for each in reader.trials()] == [*range(complete), 9]


@pytest.mark.parametrize("damage", [b"\0" * 40, b"{}", b"\xff", b"[" * 100_000])
def test_altered_line_is_skipped(tmp_path: Path, damage: bytes) -> None:
    lines = [canonical_json(record(0)), damage, canonical_json(record(1)), b""]
    (tmp_path / "trials.jsonl").write_bytes(b"\n".join(lines))
    assert journal_in(tmp_path).records() == [record(0), record(1)]


def test_record_of_newer_version_is_named(tmp_path: Path) -> None:
    (tmp_path / "trials.jsonl").write_bytes(b'{"schema_version":2,"more":1}\n')
    with pytest.raises(NewerFormatError):
        journal_in(tmp_path).records()


def test_files_of_earlier_versions_are_read(tmp_path: Path) -> None:
    directory = tmp_path / "trials"
    directory.mkdir()
    for number in (3, 0, 1):
        (directory / f"{number:04}.json").write_bytes(record(number).to_json())
    (directory / "0002.json").write_bytes(b"")
    reader = journal_in(tmp_path)
    assert reader.records() == [record(0), record(1), record(3)]
    journal_in(tmp_path).append(record(1, finished=True), durable=True)
    assert reader.records() == [record(0), record(1, finished=True), record(3)]


_WRITER = """
import sys
from pathlib import Path
from tests.backends.test_trial_journal import journal_in, record
journal = journal_in(Path(sys.argv[1]))
for number in range(10**6):
    journal.append(record(number, finished=True), durable=number % 10 == 0)
"""


@pytest.mark.slow
def test_killed_writer_loses_no_complete_line(tmp_path: Path) -> None:
    reader = journal_in(tmp_path)
    for wanted in (50, 1000):
        size = (tmp_path / "trials.jsonl").stat().st_size if wanted > 50 else 0
        with subprocess.Popen([sys.executable, "-c", _WRITER, tmp_path]) as process:
            # The second writer repeats the trials of the first one.
            while len(reader.records()) < wanted and process.poll() is None:
                time.sleep(0.01)
            os.kill(process.pid, signal.SIGKILL)
        assert (tmp_path / "trials.jsonl").stat().st_size > size
        trials = reader.records()
        assert trials == [record(number, finished=True) for number in range(len(trials))]
        assert journal_in(tmp_path).records() == trials
        with (tmp_path / "trials.jsonl").open("ab") as file:
            file.write(b'{"trial')


def test_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalEnvironmentError, match="Cannot write"):
        journal_in(tmp_path / "none").append(record(0), durable=True)
