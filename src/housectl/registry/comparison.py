"""Comparison of the history with the registry: one line for the model, one for each version."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from housectl.errors import ExitStatus
from housectl.registry.objects import RegistryObject, WantedObject


class LineState(StrEnum):
    """The result of comparing one object."""

    SAME = "same"
    MISSING = "missing"
    DIFFERENT = "different"
    FOREIGN = "foreign"


@dataclass(frozen=True, kw_only=True)
class RegistryLine:
    """One object of the history or the registry.

    Attributes:
        kind: `model` or `version`.
        differences: Names of the fields and properties that differ from the history.
    """

    kind: str
    name: str
    state: LineState
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RegistryComparison:
    """The registry, compared with the history.

    Attributes:
        name: Name of the registered model.
        champion: Version of the champion; None without one.
        registry_champion: The champion that the registry names; None without one.
    """

    url: str
    name: str
    champion: str | None
    registry_champion: str | None
    lines: tuple[RegistryLine, ...]

    @property
    def in_sync(self) -> bool:
        """True if the registry has everything of the history. Foreign versions do not matter."""
        return all(line.state in {LineState.SAME, LineState.FOREIGN} for line in self.lines)

    @property
    def status(self) -> ExitStatus:
        """The exit status of a command with this result."""
        return ExitStatus.OK if self.in_sync else ExitStatus.VERIFICATION_FAILED


def compare_object(
    kind: str, wanted: WantedObject, found: RegistryObject | None, differences: Iterable[str] = ()
) -> RegistryLine:
    """Return the line of an object; `differences` are those of its parts."""
    if found is None:
        return RegistryLine(kind=kind, name=wanted.name, state=LineState.MISSING)
    different = (*wanted.differences(found), *differences)
    state = LineState.DIFFERENT if different else LineState.SAME
    return RegistryLine(kind=kind, name=wanted.name, state=state, differences=different)


def foreign_line(kind: str, found: RegistryObject) -> RegistryLine:
    """Return the line of an object that the history does not have."""
    return RegistryLine(kind=kind, name=found.name, state=LineState.FOREIGN)
