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
    """

    package: str
    runs_on: str


BACKENDS: Final[Mapping[str, BackendEntry]] = {
    "local": BackendEntry(package="housectl.backends.local", runs_on="this machine"),
    "katib": BackendEntry(package="housectl.backends.katib", runs_on="Kubernetes with Katib"),
}

DEFAULT_BACKEND: Final = "local"
