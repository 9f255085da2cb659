"""Backends from their entries in the registry; a package is imported when it is first needed."""

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from housectl.backend_registry import BACKENDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from housectl.backends.base import Backend
    from housectl.backends.doctor_check import Check, CheckContext
    from housectl.project.config import ProjectConfig
    from housectl.workspace import Workspace


class FactoryModule(Protocol):
    """The module `factory` of a backend's package."""

    def create_backend(
        self, load: "Callable[[], ProjectConfig]", workspace: "Workspace"
    ) -> "Backend":
        """Return the backend of a project; `load` reads its settings."""

    def search_settings(
        self, project: "ProjectConfig", workspace: "Workspace"
    ) -> "Mapping[str, str]":
        """Return the settings and versions on which the results of a search depend, by name.

        Offline and fast: `housectl run` compares them with those of the last search.
        """


class DoctorModule(Protocol):
    """The module `doctor` of a backend's package."""

    def doctor_checks(self, context: "CheckContext") -> "Sequence[Check]":
        """Return the checks of everything that the backend needs, in the order to run them."""


def create_backend(
    name: str, load: "Callable[[], ProjectConfig]", workspace: "Workspace"
) -> "Backend":
    """Return a project's backend.

    Args:
        name: Name of the backend in the registry.
        load: Reads the project's settings, if the backend has any.
        workspace: The project's directories.
    """
    return _factory(name).create_backend(load, workspace)


def search_settings(project: "ProjectConfig", workspace: "Workspace") -> "Mapping[str, str]":
    """Return the settings and versions of a project's backend that decide a search's results."""
    return _factory(project.backend).search_settings(project, workspace)


def doctor_checks(context: "CheckContext") -> "Sequence[Check]":
    """Return the checks of the backend that a project names."""
    package = BACKENDS[context.project.backend].package
    doctor = cast("DoctorModule", import_module(f"{package}.doctor"))
    return doctor.doctor_checks(context)


def _factory(name: str) -> FactoryModule:
    package = BACKENDS[name].package
    return cast("FactoryModule", import_module(f"{package}.factory"))
