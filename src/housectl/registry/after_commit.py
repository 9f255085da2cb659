"""The update of the registry after each change of the champion. It never fails the change."""

from collections.abc import Callable
from dataclasses import dataclass

from housectl.errors import HousectlError
from housectl.registry.mirror import RegistryMirror

AFTER_COMMIT_SECONDS = 5.0


def no_update() -> None:
    """Do nothing, for a project without a registry."""


@dataclass(frozen=True, kw_only=True)
class RegistryUpdate:
    """Updates the registry for at most five seconds, and turns every failure into a warning.

    Attributes:
        open_mirror: Returns the mirror.
        warn: Receives a warning and its hint.
    """

    open_mirror: Callable[[], RegistryMirror]
    warn: Callable[[str, str], None]

    def __call__(self) -> None:
        """Synchronise the registry with the history."""
        try:
            self.open_mirror().sync(seconds=AFTER_COMMIT_SECONDS)
        except HousectlError as error:
            self.warn(
                f"The model registry was not updated: {error.message}", "housectl registry sync"
            )
