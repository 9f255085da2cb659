"""States of all workers of a server, which they exchange through files."""

import os
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class WorkerStatus(StrEnum):
    """Status of a worker."""

    OK = "ok"
    DEGRADED = "degraded"
    NO_CHAMPION = "no_champion"
    STARTING = "starting"


class ServedChampion(BaseModel):
    """The champion that a server or one of its workers serves.

    Attributes:
        status: Status of the server or the worker.
        model_digest: Digest of the served bundle; null without a champion.
        reason: Reason of a status other than `ok`; null if it is that.
        champion: Number of the history entry that is served; null without a champion.
        override: Reason with which the served model was promoted against the verdict; null
            otherwise.
        serving_since: Time at which it began to serve the model: UTC, ISO 8601.
    """

    model_config = ConfigDict(protected_namespaces=())

    status: str
    model_digest: str | None = None
    reason: str | None = None
    champion: int | None = None
    override: str | None = None
    serving_since: str | None = None


class WorkerState(ServedChampion):
    """State of a worker.

    Attributes:
        status: `starting`, or as the status of a server.
        pid: Process of the worker; null while it starts.
    """

    status: WorkerStatus
    pid: int | None = None


class WorkerStates:
    """The states of all workers, one file each.

    Args:
        directory: Directory of the files.
        count: Number of workers.
        own: Index of the worker that this process is; None in the parent.
    """

    def __init__(self, directory: Path, *, count: int, own: int | None = None) -> None:
        self._paths = [directory / f"worker-{number}.json" for number in range(count)]
        self._own = own

    def of_worker(self, number: int) -> "WorkerStates":
        """Return the states as the worker of an index sees them."""
        return WorkerStates(self._paths[0].parent, count=len(self._paths), own=number)

    def publish(self, state: WorkerState) -> None:
        """Replace the state of this worker."""
        if self._own is not None:
            self._write(self._own, state)

    def publish_start(self, number: int, *, reason: str | None) -> None:
        """Replace the state of a worker that is about to start.

        Args:
            number: Index of the worker.
            reason: Reason why its last start failed; None if it has not failed.
        """
        self._write(number, WorkerState(status=WorkerStatus.STARTING, reason=reason))

    def read(self) -> list[WorkerState]:
        """Return the states of all workers."""
        return [WorkerState.model_validate_json(path.read_bytes()) for path in self._paths]

    def _write(self, number: int, state: WorkerState) -> None:
        path = self._paths[number]
        temporary = path.with_suffix(f".{os.getpid()}")
        # Without its parent a worker ends, and the directory may be gone.
        with suppress(FileNotFoundError):
            temporary.write_text(state.model_dump_json())
            temporary.replace(path)
