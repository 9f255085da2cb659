"""Where experiments and tasks run: one table of backends, each imported when it is asked for."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from housectl.backends.base import Backend
    from housectl.workspace import Workspace


def _local(workspace: "Workspace") -> "Backend":
    from housectl.backends.local.backend import LocalBackend

    return LocalBackend(workspace.runs)


BACKENDS: "dict[str, Callable[[Workspace], Backend]]" = {"local": _local}


def backend_of(name: str, workspace: "Workspace") -> "Backend":
    """Return the backend with this name for the experiments of a workspace."""
    return BACKENDS[name](workspace)
