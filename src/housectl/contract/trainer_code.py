"""The trainer's code: its files, their digest, and its lock, the requirements with hashes."""

import hashlib
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from housectl.contract.record import digest_of
from housectl.packaged_files import packaged_path

# The images have the files of housectl without the metadata of its distribution.
VERSION = "0.1.0"
LOCK_FILE = "requirements/trainer.txt"

_PACKAGE = "housectl"
_MODULES = ("__init__.py", "errors.py", "packaged_files.py")
_CONTRACT = "contract"
_TRAINER = "housectl_trainer"
_LOCKED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!+_-]+)", re.MULTILINE)


def trainer_files() -> Mapping[str, Path]:
    """Return the Python files of the trainer, by their paths in a directory of modules."""
    package = Path(__file__).parents[1]
    trainer = find_spec(_TRAINER)
    if trainer is None or trainer.origin is None:
        raise ModuleNotFoundError(_TRAINER)
    return {
        **{f"{_PACKAGE}/{name}": package / name for name in _MODULES},
        **_python_files(package / _CONTRACT, prefix=f"{_PACKAGE}/{_CONTRACT}"),
        **_python_files(Path(trainer.origin).parent, prefix=_TRAINER),
    }


def code_digest() -> str:
    """Return the digest of the trainer's Python files: equal digests, equal code."""
    return digest_of(
        {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in trainer_files().items()
        }
    )


def read_lock() -> bytes | None:
    """Return the lock of this code; None if it was installed without one."""
    try:
        return packaged_path(LOCK_FILE).read_bytes()
    except FileNotFoundError:
        return None


def locked_versions(lock: str) -> Mapping[str, str]:
    """Return the version of each package that a lock names."""
    return dict(_LOCKED.findall(lock))


def _python_files(directory: Path, *, prefix: str) -> Mapping[str, Path]:
    return {
        f"{prefix}/{path.relative_to(directory).as_posix()}": path
        for path in sorted(directory.rglob("*.py"))
    }
