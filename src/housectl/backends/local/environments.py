"""Environments of recorded trainers: a virtual environment for each set of requirements.

An environment has the packages of its requirements and a copy of the trainer's code, nothing else.
It is made under a temporary name, and its record is checked before each use.
"""

import hashlib
import os
import platform
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from housectl.backends.local.pip import create_virtual_environment, install
from housectl.backends.local.preflight import check_disk_space
from housectl.contract.files import (
    atomic_directory,
    remove_tree,
    translate_disk_errors,
    write_and_sync,
)
from housectl.contract.record import SCHEMA_VERSION, MalformedRecordError, Record, digest_of
from housectl.contract.regular_files import read_regular
from housectl.contract.trainer_code import LOCK_FILE, code_digest, trainer_files

_RECORD_FILE = "environment.json"
_REQUIREMENTS_FILE = "requirements.txt"
_NEEDED_BYTES = 2**30
_MAX_ENVIRONMENTS = 3


class EnvironmentRecord(Record, kw_only=True):
    """Everything that determines an environment; its digest is the name of the directory.

    Attributes:
        requirements: sha256 of the requirements.
        code: Digest of the trainer's Python files.
        python: Version of Python.
        prefix: Directory of the Python installation.
    """

    schema_version: int = SCHEMA_VERSION
    requirements: str
    code: str
    python: str
    prefix: str


@dataclass(frozen=True)
class TrainerEnvironments:
    """The environments in a directory; the least recently used ones are removed."""

    root: Path

    def python(self, requirements: str, report: Callable[[str], None]) -> Path:
        """Return the Python of the environment with these requirements; build it if necessary.

        Args:
            requirements: Text of a requirements file.
            report: Receives the progress as lines.

        Raises:
            LocalEnvironmentError: The environment cannot be built.
        """
        record = EnvironmentRecord(
            requirements=hashlib.sha256(requirements.encode()).hexdigest(),
            code=code_digest(),
            python=platform.python_version(),
            prefix=sys.base_prefix,
        )
        path = self.root / digest_of(record)
        with translate_disk_errors(path):
            if not _is_complete(path, record):
                remove_tree(path)
                self._build(path, record, requirements, report)
            os.utime(path / _RECORD_FILE)
            self._remove_oldest()
        return _python(path)

    def _build(
        self,
        path: Path,
        record: EnvironmentRecord,
        requirements: str,
        report: Callable[[str], None],
    ) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        check_disk_space(self.root, needed=_NEEDED_BYTES, purpose="an environment")
        log = path.with_suffix(".log")
        with atomic_directory(path) as directory:
            create_virtual_environment(directory, log=log, report=report)
            write_and_sync(directory / _REQUIREMENTS_FILE, requirements.encode())
            install(_python(directory), directory / _REQUIREMENTS_FILE, log=log, report=report)
            _copy_trainer(directory, requirements)
            write_and_sync(directory / _RECORD_FILE, record.to_json())
        log.unlink(missing_ok=True)

    def _remove_oldest(self) -> None:
        used = {path.stat().st_mtime: path.parent for path in self.root.glob(f"*/{_RECORD_FILE}")}
        for _, path in sorted(used.items(), reverse=True)[_MAX_ENVIRONMENTS:]:
            remove_tree(path)


def _is_complete(path: Path, record: EnvironmentRecord) -> bool:
    with suppress(OSError, MalformedRecordError):
        recorded = EnvironmentRecord.from_json(read_regular(path / _RECORD_FILE))
        return recorded == record and _python(path).exists()
    return False


def _python(path: Path) -> Path:
    return path / "bin" / "python"


def _copy_trainer(directory: Path, lock: str) -> None:
    (modules,) = directory.glob("lib/python*/site-packages")
    for name, source in trainer_files().items():
        copy = modules / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    lock_file = modules / "housectl" / LOCK_FILE
    lock_file.parent.mkdir()
    lock_file.write_text(lock)
