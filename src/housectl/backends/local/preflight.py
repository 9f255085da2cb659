"""What this machine must have before anything is trained on it."""

import shutil
from importlib.util import find_spec
from pathlib import Path

from housectl.contract.families import training_libraries
from housectl.errors import LocalEnvironmentError

# The search chooses assignments with optuna; sealing writes the ONNX graph.
_OTHER_LIBRARIES = ("onnx", "optuna")
FREE_BYTES = 200 * 2**20


def check_libraries() -> None:
    """Check that the training libraries are installed; imports none of them.

    Raises:
        MachineError: Some are missing.
    """
    names = {*_OTHER_LIBRARIES, *(library.import_name for library in training_libraries())}
    missing = [name for name in sorted(names) if find_spec(name) is None]
    if missing:
        raise LocalEnvironmentError(
            f"Training on this machine needs libraries that are missing: {', '.join(missing)}.",
            hint="pip install 'housectl[local]'",
        )


def check_space(directory: Path) -> None:
    """Check that the disk has room for a search.

    Raises:
        MachineError: It has less than 200 MiB left.
    """
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < FREE_BYTES:
        raise LocalEnvironmentError(
            f"The disk has {free / 2**20:.0f} MiB left; a search needs {FREE_BYTES / 2**20:.0f}.",
            hint=f"df -h {existing}   # free some space, then run the same command again",
        )
