"""Prerequisites of training on this machine."""

import shlex
import shutil
from importlib.util import find_spec
from pathlib import Path

from housectl.contract.families import training_libraries
from housectl.errors import LocalEnvironmentError

FREE_BYTES = 200 * 2**20


def check_libraries() -> None:
    """Check that the training libraries are installed, without importing them.

    Raises:
        LocalEnvironmentError: A library is missing.
    """
    names = sorted(library.import_name for library in training_libraries())
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise LocalEnvironmentError(
            f"Training libraries are missing on this machine: {', '.join(missing)}.",
            hint="pip install 'housectl[local]'",
        )


def workers_note(workers: int, cores: int) -> str | None:
    """Return a note if there are more workers than cores; more trials at once are not faster."""
    if workers <= cores:
        return None
    return f"{workers} workers on {cores} cores: {cores} trials run at the same time"


def check_disk_space(
    directory: Path, *, needed: int = FREE_BYTES, purpose: str = "a search"
) -> None:
    """Check that the disk has enough free space.

    Args:
        directory: Directory of the new files; it need not exist.
        needed: Required free space in bytes.
        purpose: Name of the work that needs the space, for the message.

    Raises:
        LocalEnvironmentError: It has less free space.
    """
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise LocalEnvironmentError(
            f"The disk of {existing} has {free / 2**20:.0f} MiB free; "
            f"{purpose} needs {needed // 2**20} MiB.",
            hint=f"df -h {shlex.quote(str(existing))}   # then free some space",
        )
