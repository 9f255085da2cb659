"""The requirements of a bundle's trainer: its lock, with the versions that its recipe names."""

import re
import sys
from collections.abc import Callable, Collection, Mapping

from housectl.backends.base import TrainerRecord
from housectl.contract.families import training_libraries
from housectl.contract.trainer_code import locked_versions, read_lock
from housectl.errors import InputsError, LocalEnvironmentError

_VERSION = re.compile(r"[0-9A-Za-z.+!_-]{1,64}")
# pip decodes a file as a comment such as "# coding: utf-7" demands, which can hide other lines.
_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==[0-9A-Za-z.+!_-]+ \\"
    r"|    --hash=sha256:[0-9a-f]{64}(?: \\)?"
    r"|\s*#(?!.*coding[:=]).*|\s*"
)


def requirements_of(trainer: TrainerRecord, *, warn: Callable[[str], None]) -> str:
    """Return the requirements file of a trainer: its lock, or exact versions without hashes.

    Args:
        trainer: Recorded environment of the trainer.
        warn: Receives each deviation from the record, as a sentence.

    Raises:
        InputsError: The lock or a version is not one that housectl writes.
        LocalEnvironmentError: This housectl was installed without its lock.
    """
    own_lock = _own_lock()
    if trainer.lock is None:
        warn("The lock of the bundle is unknown: this housectl's lock takes its place.")
    lock = trainer.lock or own_lock
    _check_lock(lock, allowed=locked_versions(own_lock).keys())
    wanted = _wanted_versions(trainer.libraries)
    locked = {
        name: version
        for name, version in locked_versions(lock).items()
        if name not in _library_packages() or name in wanted
    }
    unlocked = {name: text for name, text in wanted.items() if locked.get(name) != text}
    if not unlocked:
        return lock
    listed = ", ".join(f"{name} {version}" for name, version in sorted(unlocked.items()))
    warn(f"The recipe has other versions than the lock, without hashes: {listed}.")
    pinned = {**locked, **unlocked}
    return "".join(f"{name}=={version}\n" for name, version in sorted(pinned.items()))


def _own_lock() -> str:
    lock = read_lock()
    if lock is None:
        raise LocalEnvironmentError(
            "This housectl was installed without the requirements of its trainer.",
            hint="pip install --force-reinstall housectl",
        )
    return lock.decode()


def _wanted_versions(libraries: Mapping[str, str]) -> Mapping[str, str]:
    """Return the version of each library's package."""
    packages = _packages_of_this_system()
    for library, version in libraries.items():
        if library not in packages:
            raise _invalid(f"the recipe names the unknown library {library!r}")
        if not _VERSION.fullmatch(version):
            raise _invalid(f"the version {version!r} of {library} is malformed")
    return {packages[library]: version for library, version in libraries.items()}


def _packages_of_this_system() -> Mapping[str, str]:
    """Return the package of each library, which on Linux may have another name."""
    position = 0 if sys.platform == "linux" else -1
    return {library.name: library.distributions[position] for library in training_libraries()}


def _library_packages() -> Collection[str]:
    return {name for library in training_libraries() for name in library.distributions}


def _check_lock(lock: str, *, allowed: Collection[str]) -> None:
    """Check that a lock has pinned packages with hashes and nothing else, such as an index."""
    for line in lock.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise _invalid(f"the lock has the line {line[:80]!r}")
        if match["name"] and match["name"] not in allowed:
            raise _invalid(f"the lock names {match['name']}, which this housectl does not use")


def _invalid(cause: str) -> InputsError:
    return InputsError(
        f"The requirements of the bundle cannot be installed: {cause}.",
        hint="housectl history   # bundles of another housectl need that version of it",
    )
