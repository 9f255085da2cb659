"""The local backend of a project."""

from housectl.backends.local.backend import LocalBackend
from housectl.project.config import ProjectConfig
from housectl.workspace import Workspace


def create_backend(_: ProjectConfig, workspace: Workspace) -> LocalBackend:
    """Return the backend that keeps its runs in a project's workspace."""
    return LocalBackend(workspace.runs)
