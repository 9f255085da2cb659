"""The interface of a backend, and the values that its methods exchange."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from housectl.contract.families import Family
from housectl.contract.golden import GoldenSource
from housectl.contract.inputs import Inputs
from housectl.contract.parameters import Value
from housectl.experiment import (
    Experiment,
    ExperimentState,
    Trial,
    TrialState,
    best_trial,
    failed_trials,
)


class TaskKind(StrEnum):
    """The kinds of task that a trainer can run."""

    SEAL = "seal"


@dataclass(frozen=True, kw_only=True)
class Task:
    """One run of the trainer outside a search, such as sealing a bundle.

    Attributes:
        experiment, trial, commit: Origin of the assignment, for provenance.
        model_sha256: Expected digest of the refitted model; None if there is no model yet.
        golden: Origin of the bundle's golden rows.
    """

    name: str
    kind: TaskKind
    family: Family
    assignment: Mapping[str, Value]
    experiment: str | None = None
    trial: str | None = None
    commit: str | None = None
    model_sha256: str | None = None
    golden: GoldenSource = GoldenSource.DATA


Workload = Experiment | Task


@dataclass(frozen=True)
class Handle:
    """URL of an experiment or task, such as `local:///home/me/.housectl/runs/boston-1`."""

    url: str

    @property
    def name(self) -> str:
        """The name of the experiment or task."""
        return self.url.rpartition("/")[2]

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, kw_only=True)
class TrainerRecord:
    """The recorded environment of a trainer; a backend provides the same one again.

    Attributes:
        lock: Its lock; None if it is unknown.
        libraries: Versions of its training libraries.
        image: Reference of its image; None without containers.
    """

    lock: str | None
    libraries: Mapping[str, str]
    image: str | None


class Plan(Protocol):
    """The plan of an experiment or task; `housectl render` prints its `str()`."""

    @property
    def workload(self) -> Workload:
        """The experiment or task."""

    @property
    def image(self) -> str | None:
        """The container image of the trainer; None without containers."""

    def __str__(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The state of an experiment at one moment, without its trials.

    Attributes:
        trials: Number of trials, with the running ones.
        pruned: Number of pruned trials; None if the backend did not read each trial.
        mse: Lowest objective of a succeeded trial; None without one.
        best_number: Number of that trial; None if the backend did not read each trial.
        started: Seconds since the epoch.
    """

    state: ExperimentState
    trials: int = 0
    running: int = 0
    pruned: int | None = 0
    failed: int = 0
    mse: float | None = None
    best_number: int | None = None
    started: float | None = None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The state of an experiment or a task at one moment.

    Attributes:
        trials: In the order of their numbers; empty for a task.
        reason: Explanation of the state, in one sentence.
        warnings: Further notes for the user.
        started, finished: Seconds since the epoch.
    """

    state: ExperimentState
    trials: tuple[Trial, ...] = ()
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    started: float | None = None
    finished: float | None = None

    @property
    def best_trial(self) -> Trial | None:
        """The succeeded trial with the lowest objective, the earlier one on a tie."""
        return best_trial(self.trials)

    @property
    def overview(self) -> Overview:
        """The state and the counts of trials."""
        counts = Counter(trial.state for trial in self.trials)
        best = self.best_trial
        return Overview(
            state=self.state,
            trials=len(self.trials),
            running=counts[TrialState.RUNNING],
            pruned=counts[TrialState.PRUNED],
            failed=counts[TrialState.FAILED],
            mse=best.mse if best else None,
            best_number=best.number if best else None,
            started=self.started,
        )

    @property
    def failed_trials(self) -> list[Trial]:
        """The failed trials."""
        return failed_trials(self.trials)


class Backend(Protocol):
    """Runs experiments and tasks. Every backend implements every method."""

    def plan(self, workload: Workload, *, inputs: Inputs, image: str | None) -> Plan:
        """Return the plan that `submit` would send. Pure and offline."""

    def submit(self, workload: Workload, *, inputs: Inputs, image: str | None) -> Handle:
        """Check the prerequisites, then send the inputs and exactly the plan of `plan`.

        Raises:
            AlreadyExistsError: An experiment or task has that name.
        """

    def get_plan(self, handle: Handle) -> Plan:
        """Return the plan that was sent."""

    def get_inputs(self, handle: Handle) -> Inputs:
        """Return the inputs that were sent with the plan; download them if necessary."""

    def resume(self, handle: Handle) -> None:
        """Resume after a stop or an interruption, by the recorded plan; retry a failed task.

        Has no effect on running workloads, or on any other that ended by itself.
        """

    def handles(self) -> Sequence[Handle]:
        """Return the handles of all experiments, newest first; incomplete deletions come last."""

    def overviews(self) -> Sequence[tuple[Handle, Overview]]:
        """Return the overviews of all experiments, in the order of `handles`."""

    def handle(self, name: str) -> Handle:
        """Return the handle of an experiment or task by its name or its URL.

        Raises:
            UnknownExperimentError: There is no such experiment or task.
        """

    def observe(self, handle: Handle) -> Snapshot:
        """Return the current state of the experiment or task, with the causes of problems."""

    def settled(self, handle: Handle) -> Overview | None:
        """Return the overview of a long search whose trials all succeeded.

        Returns:
            None for any other experiment, and if a snapshot costs as little.
        """

    def wait(self, handle: Handle, last_snapshot: Snapshot, *, timeout: float) -> None:
        """Return when the state may differ from `last_snapshot`, or after `timeout` seconds."""

    def logs(self, handle: Handle, trial: str | None) -> Iterator[str]:
        """Yield the trainer's log lines so far: of one trial, or of a task (`trial=None`)."""

    def fetch(self, handle: Handle, trial: str | None, destination: Path) -> Path:
        """Copy the output of a trial, or of a task, to the new directory `destination`.

        The copy is not checked: `read_trial_output` and `read_sealed` do that.

        Raises:
            BundleError: There is no output.
        """

    def image_digest(self, handle: Handle) -> str | None:
        """Return the digest of the image that ran a task, as `sha256:…`.

        Returns:
            None without containers, or if the image was not pulled from a registry.
        """

    def with_trainer(
        self,
        trainer: TrainerRecord,
        *,
        report: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> "Backend":
        """Return a backend whose tasks run a recorded trainer.

        Args:
            trainer: Environment of the trainer; it is made again if necessary.
            report: Receives the progress of long work as lines.
            warn: Receives each deviation from the record, as a sentence.

        Raises:
            InputsError: The lock or a version is malformed.
            LocalEnvironmentError: The environment cannot be made.
        """

    def delete_outputs(self, handle: Handle, trials: Sequence[str]) -> None:
        """Delete the files of these trials; keep their numbers and objectives."""

    def stop(self, handle: Handle) -> None:
        """Stop the experiment or task; finished trials stay usable. Idempotent.

        A backend may delete an experiment without finished trials, and a running task.
        """

    def delete(self, handle: Handle) -> None:
        """Stop the experiment or task, and delete all its files. Idempotent."""
