"""Synchronisation: creates and changes in the registry exactly the objects that differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from housectl.errors import RegistryRejectedError
from housectl.registry.client import ARTIFACT, MODEL, VERSION, Kind, RegistryClient
from housectl.registry.objects import RegistryObject, WantedObject, property_text
from housectl.registry.wanted import HISTORY_PROPERTY, WantedRegistry, WantedVersion

# Another owner that changes the same model at the same time can undo a change.
_MAX_ATTEMPTS = 5


class ChangeAction(StrEnum):
    """Kind of a change in the registry."""

    CREATED = "created"
    CHANGED = "changed"


@dataclass(frozen=True, kw_only=True)
class RegistryChange:
    """One change of a synchronisation.

    Attributes:
        kind: `model`, `version` or `artifact`.
        name: Name of the object; an artifact's has the name of its version before it.
        differences: Names of the changed fields and properties; empty for a created object.
    """

    action: ChangeAction
    kind: str
    name: str
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Synchronizer:
    """Brings one registered model to the wanted content.

    Each object is found first, and created or changed only if necessary. So a sync continues
    an earlier one that was interrupted anywhere.

    Attributes:
        changes: The changes so far.
    """

    client: RegistryClient
    wanted: WantedRegistry
    changes: list[RegistryChange] = field(default_factory=list)

    def run(self) -> Iterator[str]:
        """Synchronise, and yield the name of each finished version.

        Missing versions come first, the oldest before the newest: readers that name no version get
        the one that was created last. The champion is next, then the other existing versions.
        """
        if not self.wanted.history:
            return
        model = self._ensure_model()
        found = {each.name: each for each in self.client.list_all(VERSION, parent=model.id)}
        for name in self._names(found):
            self._ensure_version(self.wanted.version(name), found.get(name), model)
            if name == self.wanted.champion:
                self._ensure_champion(model)
            yield name

    def _names(self, found: Mapping[str, object]) -> tuple[str, ...]:
        names = self.wanted.first_entries
        missing = [name for name in names if name not in found]
        existing = [name for name in names if name in found]
        return (*missing, *sorted(existing, key=lambda name: name != self.wanted.champion))

    def _ensure_model(self) -> RegistryObject:
        wanted = self.wanted.model
        found = self.client.find(MODEL, wanted.name)
        model = found or self._create(MODEL, wanted, label=wanted.name)
        owner = property_text(model.properties, HISTORY_PROPERTY)
        if owner not in {None, self.wanted.history_id}:
            raise RegistryRejectedError(
                f"The registered model {wanted.name} belongs to another project: it mirrors the "
                f"history that began at {owner}.",
                hint="housectl registry sync --registry-name NAME   # then set registry.name",
            )
        return self._ensure_content(MODEL, wanted, model, label=wanted.name)

    def _ensure_version(
        self, wanted: WantedVersion, found: RegistryObject | None, model: RegistryObject
    ) -> None:
        name = wanted.version.name
        version = found or self._create(VERSION, wanted.version, label=name, parent=model.id)
        version = self._ensure_content(VERSION, wanted.version, version, label=name)
        label = f"{name}/{wanted.artifact.name}"
        artifact = self.client.find(
            ARTIFACT, wanted.artifact.name, parent=version.id
        ) or self._create(ARTIFACT, wanted.artifact, label=label, parent=version.id)
        self._ensure_content(ARTIFACT, wanted.artifact, artifact, label=label)

    def _ensure_champion(self, model: RegistryObject) -> None:
        """Name the champion, and read the model back after each change of it."""
        wanted = self.wanted.model_with_champion
        for _ in range(_MAX_ATTEMPTS):
            model = self.client.get(MODEL, model)
            if not any(wanted.differences(model)):
                return
            self._change(MODEL, wanted, model, label=wanted.name)
        raise _not_kept(wanted.name)

    def _create(
        self, kind: Kind, wanted: WantedObject, *, label: str, parent: str = ""
    ) -> RegistryObject:
        """Create an object; return the existing one if another command was faster."""
        created = self.client.create(kind, wanted, parent=parent)
        if created:
            self._record(ChangeAction.CREATED, kind, label)
        found = created or self.client.find(kind, wanted.name, parent=parent)
        if found is None:
            raise _not_kept(label)
        return found

    def _ensure_content(
        self, kind: Kind, wanted: WantedObject, found: RegistryObject, *, label: str
    ) -> RegistryObject:
        if any(wanted.differences(found)):
            found = self._change(kind, wanted, found, label=label)
        if any(wanted.differences(found)):
            raise _not_kept(label)
        return found

    def _change(
        self, kind: Kind, wanted: WantedObject, found: RegistryObject, *, label: str
    ) -> RegistryObject:
        changed = self.client.change(kind, wanted, found)
        self._record(ChangeAction.CHANGED, kind, label, tuple(wanted.differences(found)))
        return changed

    def _record(
        self, action: ChangeAction, kind: Kind, label: str, differences: tuple[str, ...] = ()
    ) -> None:
        self.changes.append(
            RegistryChange(action=action, kind=kind.title, name=label, differences=differences)
        )


def _not_kept(label: str) -> RegistryRejectedError:
    return RegistryRejectedError(
        f"The model registry does not keep the content of {label}: another program may change it "
        "at the same time.",
        hint="housectl registry sync   # repeats the changes",
    )
