"""The mirror of a store's history in a model registry: comparison and synchronisation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from housectl.deadline import Deadline, call_until
from housectl.errors import ConcurrentUpdateError, RegistryUnavailableError
from housectl.registry.client import ARTIFACT, MODEL, VERSION, RegistryClient, connect
from housectl.registry.comparison import (
    RegistryComparison,
    RegistryLine,
    compare_object,
    foreign_line,
)
from housectl.registry.objects import RegistryObject, property_text
from housectl.registry.sync import RegistryChange, Synchronizer
from housectl.registry.wanted import CHAMPION_PROPERTY, WantedRegistry, WantedVersion
from housectl.store.base import ChampionStore
from housectl.work_progress import ShareReporter, WorkProgress, ignore_share

COMMAND_SECONDS = 600.0

# Requests end so much earlier that their error, which names the cause, is reported in time.
_GRACE_SECONDS = 0.5
_MAX_ROUNDS = 5

_Result = TypeVar("_Result")


@dataclass(frozen=True, kw_only=True)
class RegistrySync:
    """The result of a synchronisation.

    Attributes:
        name: Name of the registered model.
        champion: Version of the champion; None without one.
        changes: The changes in the registry; empty if it had everything.
    """

    url: str
    name: str
    champion: str | None
    changes: tuple[RegistryChange, ...]


@dataclass(frozen=True, kw_only=True)
class RegistryMirror:
    """Mirrors the history of a store in one registered model.

    Every method raises RegistryUnavailableError if the registry does not answer, and
    RegistryRejectedError if it rejects a request.

    Attributes:
        url: Root URL of the registry.
        name: Name of the registered model.
        project: Name of the project.
        token: Bearer token of each request; None without one.
    """

    store: ChampionStore
    url: str
    name: str
    project: str
    token: str | None

    def compare(self, *, report: ShareReporter = ignore_share) -> RegistryComparison:
        """Compare the registry with the history; change nothing.

        Raises:
            BundleError: A bundle is missing or altered.
        """
        return self._run(partial(self._compare, report), seconds=COMMAND_SECONDS)

    def sync(
        self, *, report: ShareReporter = ignore_share, seconds: float = COMMAND_SECONDS
    ) -> RegistrySync:
        """Create and change in the registry exactly the objects that differ from the history.

        Raises:
            BundleError: A bundle is missing or altered.
        """
        return self._run(partial(self._sync, report), seconds=seconds)

    def check(self, *, seconds: float) -> None:
        """Check health and write permission of the registry; change nothing."""
        self._run(_check, seconds=seconds)

    def _run(self, function: Callable[[RegistryClient], _Result], *, seconds: float) -> _Result:
        deadline = Deadline.after(max(0.0, seconds - _GRACE_SECONDS))

        def run() -> _Result:
            with connect(self.url, token=self.token, deadline=deadline) as client:
                return function(client)

        try:
            return call_until(Deadline.after(seconds), run)
        except TimeoutError as error:
            raise RegistryUnavailableError(
                f"The model registry {self.url} is unavailable: no answer in {seconds:g} s.",
                hint="housectl registry sync   # when the registry is available",
            ) from error

    def _sync(self, report: ShareReporter, client: RegistryClient) -> RegistrySync:
        """Synchronise; again if another command changed the champion in the meantime."""
        changes: list[RegistryChange] = []
        for _ in range(_MAX_ROUNDS):
            wanted, known = self._wanted(), len(changes)
            synchronizer = Synchronizer(client=client, wanted=wanted, changes=changes)
            progress = WorkProgress(len(wanted.first_entries), report)
            for _ in synchronizer.run():
                progress.add(1)
            if len(changes) == known or self.store.history() == wanted.history:
                return RegistrySync(
                    url=self.url, name=self.name, champion=wanted.champion, changes=tuple(changes)
                )
        raise ConcurrentUpdateError(
            "Other commands changed the champion during each attempt to synchronise.",
            hint="housectl registry sync",
        )

    def _compare(self, report: ShareReporter, client: RegistryClient) -> RegistryComparison:
        wanted = self._wanted()
        model = client.find(MODEL, self.name)
        return RegistryComparison(
            url=self.url,
            name=self.name,
            champion=wanted.champion,
            registry_champion=property_text(model.properties, CHAMPION_PROPERTY) if model else None,
            lines=tuple(_lines(client, wanted, model, report)),
        )

    def _wanted(self) -> WantedRegistry:
        return WantedRegistry(
            name=self.name, project=self.project, store=self.store, history=self.store.history()
        )


def _check(client: RegistryClient) -> None:
    client.check_health()
    client.check_write_permission()


def _lines(
    client: RegistryClient,
    wanted: WantedRegistry,
    model: RegistryObject | None,
    report: ShareReporter,
) -> Iterator[RegistryLine]:
    """Yield the line of the model, those of the history's versions, and of foreign versions."""
    found = client.list_all(VERSION, parent=model.id) if model else []
    by_name = {version.name: version for version in found}
    if wanted.history:
        yield compare_object(MODEL.title, wanted.model_with_champion, model)
    progress = WorkProgress(len(wanted.first_entries), report)
    for name in reversed(wanted.first_entries):
        yield _version_line(client, wanted.version(name), by_name.pop(name, None))
        progress.add(1)
    yield from (foreign_line(VERSION.title, version) for version in by_name.values())


def _version_line(
    client: RegistryClient, wanted: WantedVersion, found: RegistryObject | None
) -> RegistryLine:
    """Return the line of a version, with the differences of its artifact."""
    if found is None:
        return compare_object(VERSION.title, wanted.version, None)
    artifact = client.find(ARTIFACT, wanted.artifact.name, parent=found.id)
    line = compare_object(ARTIFACT.title, wanted.artifact, artifact)
    missing = () if artifact else (ARTIFACT.title,)
    differences = (*missing, *(f"{ARTIFACT.title}.{name}" for name in line.differences))
    return compare_object(VERSION.title, wanted.version, found, differences)
