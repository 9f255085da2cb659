"""The journal of a search: one line for each start and each end of a trial.

Lines are only appended. A line counts if it ends with a newline, and the last line of a trial
counts. So a kill or a full disk loses no more than the line that was being written.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock

import msgspec

from housectl.backends.local.records import TrialRecord
from housectl.contract.files import sync_directory, translate_disk_errors
from housectl.contract.record import SCHEMA_VERSION, MalformedRecordError, canonical_json
from housectl.contract.regular_files import open_regular, read_regular
from housectl.contract.struct_types import analyse_type
from housectl.experiment import Trial, TrialState


class TrialJournal:
    """The records of a search's trials.

    One process at a time may append. Any thread of any process may read.

    Args:
        path: The journal; it need not exist.
        earlier: Directory in which earlier versions of housectl wrote a file for each trial.
    """

    def __init__(self, path: Path, *, earlier: Path) -> None:
        self._path = path
        self._earlier = earlier
        self._earlier_revision = 0
        self._earlier_records: dict[int, TrialRecord] = {}
        self._appended: dict[int, TrialRecord] = {}
        self._complete_bytes = 0
        self._descriptor: int | None = None
        self._lock = Lock()

    def records(self) -> list[TrialRecord]:
        """Return the last record of each trial, in the order of their numbers.

        Each call reads only the lines that were appended since the last one.

        Raises:
            NewerFormatError: A newer housectl wrote a record.
        """
        with self._lock:
            self._read_earlier()
            self._read_appended()
            merged = {**self._earlier_records, **self._appended}
        return [merged[number] for number in sorted(merged)]

    def trials(self) -> list[Trial]:
        """Return the started trials, in the order of their numbers."""
        return [record.trial for record in self.records()]

    def finished_records(self) -> list[TrialRecord]:
        """Return the records of the finished trials, in the order of their numbers."""
        return [each for each in self.records() if each.trial.state is not TrialState.RUNNING]

    def revision(self) -> object:
        """Return a value that changes with every record; cheap to compute."""
        return _size(self._path), _modified(self._earlier)

    def append(self, record: TrialRecord, *, durable: bool) -> None:
        """Append a record.

        Args:
            record: The new record of a trial.
            durable: True if a power cut must not lose the record, or those before it.

        Raises:
            LocalEnvironmentError: The disk is full, read-only or not writable.
        """
        with translate_disk_errors(self._path):
            if self._descriptor is None:
                self._descriptor = self._open()
            line = canonical_json(record) + b"\n"
            while line:
                line = line[os.write(self._descriptor, line) :]
            if durable:
                os.fsync(self._descriptor)

    def _open(self) -> int:
        """Open the journal to append, without the incomplete line of a killed writer."""
        self.records()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o644)
        os.ftruncate(descriptor, self._complete_bytes)
        sync_directory(self._path.parent)
        return descriptor

    def _read_appended(self) -> None:
        try:
            with open_regular(self._path) as file:
                file.seek(self._complete_bytes)
                data = file.read()
        except FileNotFoundError:
            return
        complete = data[: data.rfind(b"\n") + 1]
        for record in _decode(complete):
            self._appended[record.trial.number] = record
        self._complete_bytes += len(complete)

    def _read_earlier(self) -> None:
        revision = _modified(self._earlier)
        if revision != self._earlier_revision:
            lines = [read_regular(path) for path in self._earlier.glob("[0-9]*.json")]
            self._earlier_records = {record.trial.number: record for record in _decode_each(lines)}
            self._earlier_revision = revision


def _decode(lines: bytes) -> Sequence[TrialRecord]:
    """Return the records of complete lines.

    Decoding all lines at once is ten times as fast as one by one, but fails if one is malformed.
    """
    analyse_type(TrialRecord)
    try:
        records = msgspec.json.Decoder(TrialRecord).decode_lines(lines)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        records = []
    if records and all(record.schema_version == SCHEMA_VERSION for record in records):
        return records
    return list(_decode_each(lines.splitlines()))


def _decode_each(texts: Sequence[bytes]) -> Iterator[TrialRecord]:
    for text in texts:
        try:
            yield TrialRecord.from_json(text)
        except MalformedRecordError:
            # A power cut may lose the content of a record that was not durable.
            continue


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _modified(directory: Path) -> int:
    try:
        return directory.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
