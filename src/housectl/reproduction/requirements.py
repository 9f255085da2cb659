"""The requirements of a bundle's trainer: its lock, with the versions that its recipe names."""

import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from housectl.contract.families import training_libraries
from housectl.contract.trainer_code import locked_versions
from housectl.errors import InputsError

_VERSION = re.compile(r"[0-9A-Za-z.+!_-]{1,64}")
_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==[0-9A-Za-z.+!_-]+ \\"
    r"|    --hash=sha256:[0-9a-f]{64}(?: \\)?"
    r"|\s*#.*|\s*"
)


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """Requirements of a trainer.

    Attributes:
        text: Text of a requirements file.
        notes: Deviations from the recorded lock, each in one sentence.
    """

    text: str
    notes: tuple[str, ...] = ()


def requirements_of(
    libraries: Mapping[str, str], *, lock: str | None, own_lock: str
) -> Requirements:
    """Return the requirements that give a recipe its libraries.

    Args:
        libraries: Versions in the recipe.
        lock: Lock of the trainer that sealed the bundle; None if it is unknown.
        own_lock: Lock of this housectl, which names the packages that may be installed.

    Raises:
        InputsError: The lock or a version is not one that housectl writes.
    """
    notes = () if lock else ("The bundle has no lock: this housectl's lock takes its place.",)
    lock = lock or own_lock
    _check_lock(lock, allowed=locked_versions(own_lock).keys())
    packages = _packages_of_this_system()
    unknown = libraries.keys() - packages.keys()
    if unknown:
        raise _invalid(f"the recipe names the unknown library {min(unknown)!r}")
    wanted = {packages[library]: version for library, version in libraries.items()}
    locked = {
        name: version
        for name, version in locked_versions(lock).items()
        if name not in _library_packages() or name in wanted
    }
    unlocked = {name: text for name, text in wanted.items() if locked.get(name) != text}
    for name, version in unlocked.items():
        if not _VERSION.fullmatch(version):
            raise _invalid(f"the version {version!r} of {name} is malformed")
    if not unlocked:
        return Requirements(text=lock, notes=notes)
    pinned = {**locked, **unlocked}
    listed = ", ".join(f"{name} {version}" for name, version in sorted(unlocked.items()))
    return Requirements(
        text="".join(f"{name}=={version}\n" for name, version in sorted(pinned.items())),
        notes=(*notes, f"The recipe has other versions than the lock, without hashes: {listed}."),
    )


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
