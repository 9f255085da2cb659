"""The in-memory backend of a project, for the registry."""

from housectl.project.config import ProjectConfig
from housectl.workspace import Workspace

from .backend import InMemoryBackend


def create_backend(project: ProjectConfig, workspace: Workspace) -> InMemoryBackend:  # noqa: ARG001
    return InMemoryBackend()
