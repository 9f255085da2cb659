"""Registry of backends: a backend is one package and one entry in this table.

The table imports no backend, so that the project file's schema and the help texts can use it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class BackendEntry:
    """One backend.

    Attributes:
        package: Its package, with the modules that `backends.factory` describes.
        runs_on: The place where its experiments run, for help texts.
        is_local: True if experiments run on this machine.
        setup_seconds: Usual time from a submission to the first training.
        workers: Number of parallel trials with `workers: auto`; None for one for each core.
    """

    package: str
    runs_on: str
    setup_seconds: float
    workers: int | None = None
    is_local: bool = False


BACKENDS: Final[Mapping[str, BackendEntry]] = {
    "local": BackendEntry(
        package="housectl.backends.local",
        runs_on="this machine",
        setup_seconds=2.0,
        is_local=True,
    ),
    # A pod uploads the data, Katib starts its algorithm, and then the first trial's pod starts.
    "katib": BackendEntry(
        package="housectl.backends.katib",
        runs_on="Kubernetes with Katib",
        setup_seconds=15.0,
        workers=3,
    ),
}

DEFAULT_BACKEND: Final = "local"
