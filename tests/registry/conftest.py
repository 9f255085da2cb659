from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

import housectl
from housectl.contract.bundle import Bundle
from housectl.contract.history import Action
from housectl.registry.mirror import RegistryMirror
from housectl.store.local import LocalStore
from housectl.waiting import SilentProgress
from tests.server.bundles import make_bundle, promote
from tests.servers.model_registry import RegistryServer, model_registry
from tools.project_directory import ProjectDirectory, copy_boston
from tools.server_process import free_port


@dataclass(frozen=True)
class Warnings(SilentProgress):
    """Collects the warnings of an operation."""

    received: list[tuple[str, str]]

    def on_warning(self, message: str, hint: str) -> None:
        self.received.append((message, hint))


@dataclass(frozen=True)
class Mirrored:
    """A project with three champions, and the registry that mirrors them."""

    project: ProjectDirectory
    store: LocalStore
    bundles: Sequence[Bundle]
    server: RegistryServer

    @property
    def versions(self) -> list[str]:
        return [bundle.version for bundle in self.bundles]

    def mirror(self, name: str = "boston") -> RegistryMirror:
        """Return the mirror below another name, so that tests of many cases share one server."""
        return self.at(self.server.url, name)

    def at(self, url: str, name: str = "boston") -> RegistryMirror:
        """Return the mirror at another URL."""
        settings = {"registry.url": url, "registry.name": name}
        return housectl.open(self.project.path, settings=settings).context.registry

    def sync(self, name: str = "boston", *, seconds: float = 60.0) -> list[str]:
        """Synchronise, and return the changes, such as `created model boston`."""
        result = self.mirror(name).sync(seconds=seconds)
        return [f"{change.action} {change.kind} {change.name}" for change in result.changes]

    def states(self, name: str = "boston") -> dict[str, str]:
        """Return the state of each object by its name."""
        return {line.name: line.state.value for line in self.mirror(name).compare().lines}

    def promote(self, bundle: Bundle, *, action: Action = Action.PROMOTION) -> None:
        promote(self.store, bundle, action=action)

    def rollback(self, **settings: object) -> list[tuple[str, str]]:
        """Roll back, and return the warnings with their hints."""
        warnings = Warnings([])
        settings = {"registry.url": self.server.url, **settings}
        project = housectl.open(self.project.path, settings=settings, progress=warnings)
        project.rollback()
        return warnings.received

    def model(self, name: str = "boston") -> dict[str, object]:
        return self.server.api("GET", f"/registered_model?name={name}")

    def version(self, index: int, name: str = "boston") -> dict[str, object]:
        parent = self.model(name)["id"]
        return self.server.api(
            "GET", f"/model_version?name={self.versions[index]}&parentResourceId={parent}"
        )

    def artifact(self, index: int, name: str = "boston") -> dict[str, object]:
        parent = self.version(index, name)["id"]
        (artifact,) = self.server.items(f"/model_versions/{parent}/artifacts")
        return artifact

    def champion(self, name: str = "boston") -> str | None:
        return text(self.model(name), "housectl.champion")


def text(item: dict[str, object], name: str) -> str | None:
    """Return the text of a custom property."""
    properties = item["customProperties"]
    assert isinstance(properties, dict)
    value = properties.get(name, {}).get("string_value")
    return value if value is None else str(value)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    with model_registry(tmp_path_factory.mktemp("registry") / "log") as running:
        yield running


@pytest.fixture
def mirrored(tmp_path: Path, server: RegistryServer) -> Mirrored:
    server.reset()
    project = copy_boston(tmp_path / "boston")
    store = LocalStore(project.store)
    bundles = [make_bundle(tmp_path, base=base) for base in (20.0, 21.0, 22.0)]
    for bundle in bundles:
        promote(store, bundle)
    return Mirrored(project, store, bundles, server)


@pytest.fixture
def unused_url() -> str:
    return f"http://127.0.0.1:{free_port()}"
