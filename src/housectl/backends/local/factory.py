"""The local backend of a project."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from housectl.workspace import Workspace

if TYPE_CHECKING:
    from housectl.backends.local.backend import LocalBackend
    from housectl.project.config import ProjectConfig


def create_backend(_: "Callable[[], ProjectConfig]", workspace: Workspace) -> "LocalBackend":
    """Return the backend that keeps its runs in a project's workspace."""
    from housectl.backends.local.backend import LocalBackend

    return LocalBackend(workspace.runs)


def search_settings(_project: "ProjectConfig", _workspace: Workspace) -> Mapping[str, str]:
    """Return the versions of the sampler, and of the installed libraries that train or measure."""
    from housectl.contract.families import training_libraries
    from housectl.contract.libraries import installed_version
    from housectl.search.sampler import SAMPLER_VERSION

    distributions = {library.name: library.distributions for library in training_libraries()}
    names = {**distributions, "housectl": ("housectl",)}
    versions = {name: installed_version(*names[name]) or "not installed" for name in sorted(names)}
    return {**versions, "sampler": str(SAMPLER_VERSION)}
