"""What every backend promises."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from housectl.contract.families import Family
from housectl.contract.inputs import Inputs
from housectl.contract.parameters import Value
from housectl.experiment import Experiment, ExperimentState, Trial


class TaskKind(StrEnum):
    """What a trainer can do besides trials."""

    SEAL = "seal"


@dataclass(frozen=True, kw_only=True)
class Task:
    """One run of the trainer that is no trial.

    Attributes:
        experiment, trial, commit: Where the assignment comes from, for provenance.
        model_sha256: What the refitted model must be; None when there is no model yet.
    """

    name: str
    kind: TaskKind
    family: Family
    assignment: Mapping[str, Value]
    experiment: str | None = None
    trial: str | None = None
    commit: str | None = None
    model_sha256: str | None = None


Workload = Experiment | Task


@dataclass(frozen=True)
class Handle:
    """The name of what was sent, as a URL such as `local:///home/me/.housectl/runs/boston-1`."""

    url: str

    @property
    def name(self) -> str:
        """The name of the experiment or task."""
        return self.url.rpartition("/")[2]

    def __str__(self) -> str:
        return self.url


class Plan(Protocol):
    """What will be sent; `str()` of it is what `housectl render` prints."""

    @property
    def workload(self) -> Workload:
        """What is to be done."""

    @property
    def image(self) -> str | None:
        """The container image of the trainer, where there are containers."""

    def __str__(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One look at an experiment or a task.

    Attributes:
        trials: In the order of their numbers; none for a task.
        reason: Why it ended as it did, or what it waits for, in one sentence.
        warnings: What one should know besides.
        started, finished: Seconds since the epoch.
    """

    state: ExperimentState
    trials: tuple[Trial, ...] = ()
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    started: float | None = None
    finished: float | None = None


class Backend(Protocol):
    """Runs experiments and tasks. All verbs work on every backend."""

    def plan(self, work: Workload, *, inputs: Inputs, image: str | None) -> Plan:
        """Return what `submit` would send. Pure and offline."""

    def submit(self, work: Workload, *, inputs: Inputs, image: str | None) -> Handle:
        """Check what can be checked, then send exactly what `plan` returns, inputs first.

        Raises:
            NameTakenError: Something has that name.
        """

    def get_plan(self, handle: Handle) -> Plan:
        """Return the plan that was sent."""

    def get_inputs(self, handle: Handle) -> Inputs:
        """Return the inputs that were sent with it, bringing them here if need be."""

    def resume(self, handle: Handle) -> None:
        """Go on with the recorded plan after a stop or an interruption; try a failed task again.

        Does nothing to what runs or to what has otherwise ended by itself.
        """

    def handles(self) -> Sequence[Handle]:
        """Return all experiments, the newest first."""

    def handle(self, name: str) -> Handle:
        """Return the handle of an experiment or task by its name or its URL.

        Raises:
            UnknownExperimentError: There is none.
        """

    def observe(self, handle: Handle) -> Snapshot:
        """Look once at the experiment or task and its trials, with causes for what is stuck."""

    def wait(self, handle: Handle, seen: Snapshot, *, timeout: float) -> None:
        """Return when something may have changed since `seen`, or after `timeout` seconds."""

    def logs(self, handle: Handle, trial: str | None) -> Iterator[str]:
        """Yield the trainer's own lines so far: of one trial, or of a task when `trial` is None."""

    def fetch(self, handle: Handle, trial: str | None, into: Path) -> Path:
        """Bring the output of a trial, or of a task, to the new directory `into`.

        The bytes come as they are: `read_trial_output` and `read_sealed` check them.

        Raises:
            BundleError: There is none.
        """

    def delete_outputs(self, handle: Handle, trials: Sequence[str]) -> None:
        """Free the files of these trials; their numbers and objectives stay."""

    def stop(self, handle: Handle) -> None:
        """End it; finished trials stay usable. Idempotent.

        An experiment without any trial, and a task that runs, may be gone afterwards: nothing of
        them would be usable.
        """

    def delete(self, handle: Handle) -> None:
        """Stop it, and forget it with all its files. Idempotent."""
