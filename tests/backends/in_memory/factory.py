"""The in-memory backend of a project, for the registry."""

from collections.abc import Callable, Mapping

from housectl.project.config import ProjectConfig
from housectl.workspace import Workspace

from .backend import InMemoryBackend


def create_backend(load: Callable[[], ProjectConfig], workspace: Workspace) -> InMemoryBackend:  # noqa: ARG001
    return InMemoryBackend()


def search_settings(project: ProjectConfig, workspace: Workspace) -> Mapping[str, str]:  # noqa: ARG001
    return {}
