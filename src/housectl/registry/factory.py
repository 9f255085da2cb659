"""Creates the mirror that a project file describes."""

import os
from pathlib import Path

from housectl.errors import UsageError
from housectl.project.config import ProjectConfig
from housectl.registry.mirror import RegistryMirror
from housectl.registry.token import read_token
from housectl.store.base import ChampionStore


def open_mirror(project: ProjectConfig, store: ChampionStore, root: Path) -> RegistryMirror:
    """Return the mirror of a store's history in the project's registry.

    Args:
        project: Content of the project file.
        store: The store with the history.
        root: Directory of the project file.

    Raises:
        UsageError: The project has no registry, or the token is invalid.
    """
    registry = project.registry
    if registry.url is None:
        raise UsageError(
            "The project has no model registry: `registry.url` is not set.",
            hint="housectl registry status --registry-url http://127.0.0.1:8080",
        )
    token_file = root / registry.token_file if registry.token_file else None
    return RegistryMirror(
        store=store,
        url=registry.url,
        name=registry.name or project.name,
        project=project.name,
        token=read_token(os.environ, token_file),
    )
