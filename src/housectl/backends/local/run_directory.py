"""The run directory: an experiment or a task in files, valid after a kill at any moment.

plan.json            what was submitted; never changes
lock                 held by the supervisor while it lives
trials/0007.json     one per trial
outputs/0007/        what a trial made          output/   what a task made
logs/0007.log        a trial's own lines        logs/trainer.log   those of a pool or a task
outcome.json         how it ended
supervisor.log       empty unless the supervisor itself had something to say
"""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from housectl.backends.base import Task, Workload
from housectl.backends.local.lock import Lock
from housectl.backends.local.records import PlanRecord, RunOutcome, TrialRecord
from housectl.backends.messages import already_exists, trials_named
from housectl.contract.files import (
    TEMP_PREFIX,
    atomic_directory,
    atomic_write,
    remove_stale_temp_files,
    remove_tree,
    sync_directory,
    temp_path_for,
    translate_disk_errors,
    write_and_sync,
)
from housectl.contract.record import MalformedRecordError
from housectl.contract.trial_output import has_model, remove_model
from housectl.errors import BundleError
from housectl.experiment import Experiment, ExperimentState, Trial, TrialState

_PLAN = "plan.json"
_OUTCOME = "outcome.json"
_UNFINISHED = shutil.ignore_patterns(f"{TEMP_PREFIX}*")


@dataclass(frozen=True)
class RunDirectory:
    """A run directory."""

    path: Path

    @property
    def name(self) -> str:
        """The name of its experiment or task."""
        return self.path.name

    @property
    def exists(self) -> bool:
        """Whether it was submitted and not deleted."""
        return (self.path / _PLAN).exists()

    @property
    def lock(self) -> Lock:
        """Held by the supervisor while it lives."""
        return Lock(self.path / "lock")

    @property
    def outputs(self) -> Path:
        """Holds a directory for each trial."""
        return self.path / "outputs"

    @property
    def trials_directory(self) -> Path:
        """Holds a record for each trial."""
        return self.path / "trials"

    @property
    def supervisor_log(self) -> Path:
        """Where the supervisor's own troubles are."""
        return self.path / "supervisor.log"

    def output(self, trial: str | None) -> Path:
        """Return the directory that a trial, or the task, makes."""
        return self.path / "output" if trial is None else self.outputs / trial

    def missing_model(self, trial: Trial) -> bool:
        """Return whether a trial's output is there but without its model, whole."""
        output = self.output(trial.name)
        return output.exists() and not has_model(output, trial.family)

    def remove_model(self, trial: Trial) -> None:
        """Remove a trial's model, if it was fitted."""
        remove_model(self.output(trial.name), trial.family)

    def copy_output(self, trial: str | None, into: Path) -> None:
        """Copy the output of a trial, or of the task, into a directory that is there and empty.

        Raises:
            BundleError: There is no such output.
        """
        output = self.output(trial)
        try:
            shutil.copytree(output, into, dirs_exist_ok=True, ignore=_UNFINISHED)
        except OSError as error:
            if output.exists():
                raise
            raise BundleError(
                f"There is no output {output}: it was discarded or never made.",
                hint="housectl tune   # makes another",
            ) from error

    def log(self, trial: str | None) -> Path:
        """Return the file with the lines of a trial, or of the trainer's process itself."""
        return self.path / "logs" / f"{trial or 'trainer'}.log"

    def plan(self) -> PlanRecord:
        """Read what was submitted."""
        return PlanRecord.from_json((self.path / _PLAN).read_bytes())

    def inputs(self) -> Path:
        """Return the inputs directory."""
        return Path(os.path.normpath(self.path / self.plan().inputs))

    def outcome(self) -> RunOutcome | None:
        """Read how it ended, if it did."""
        try:
            return RunOutcome.from_json((self.path / _OUTCOME).read_bytes())
        except FileNotFoundError:
            return None

    @property
    def interrupted(self) -> bool:
        """Whether, unless it runs, it came to no end that anybody wanted."""
        outcome = self.outcome()
        return outcome is None or outcome.state is ExperimentState.INTERRUPTED

    @property
    def unfinished(self) -> bool:
        """Whether a supervisor would have something to do: a failed task is worth another try."""
        outcome = self.outcome()
        if outcome is None:
            return True
        if outcome.state is ExperimentState.FAILED:
            return self.plan().task is not None
        return outcome.state is not ExperimentState.SUCCEEDED

    def record_outcome(self, outcome: RunOutcome) -> None:
        """Record how it ended."""
        atomic_write(self.path / _OUTCOME, outcome.to_json())

    def reopen(self) -> None:
        """Forget how it ended, because it goes on."""
        (self.path / _OUTCOME).unlink(missing_ok=True)
        sync_directory(self.path)

    def trials(self) -> Iterator[Trial]:
        """Yield the trials that were started, in the order of their numbers."""
        for path in sorted(self.trials_directory.glob("[0-9]*.json")):
            try:
                yield TrialRecord.from_json(path.read_bytes()).trial
            except MalformedRecordError:
                # A power cut may lose the content of a note that a trial started.
                continue

    def finished_trials(self) -> Iterator[Trial]:
        """Yield the trials that will not run again, in the order of their numbers."""
        return (trial for trial in self.trials() if trial.state is not TrialState.RUNNING)

    def trial(self, name: str) -> Trial:
        """Return one trial.

        Raises:
            UsageError: There is none with that name.
        """
        (trial,) = self.trials_named([name])
        return trial

    def trials_named(self, names: Sequence[str]) -> list[Trial]:
        """Return trials by their names, reading all records once.

        Raises:
            UsageError: There is none with one of the names.
        """
        return trials_named(names, self.trials(), experiment=self.name)

    def record_start(self, trial: Trial) -> None:
        """Let others see that a trial runs; lost in a power cut, like the trial."""
        path = self._trial_file(trial)
        with translate_disk_errors(path):
            temporary = temp_path_for(path)
            temporary.write_bytes(TrialRecord(trial=trial).to_json())
            temporary.replace(path)

    def record_end(self, trial: Trial) -> None:
        """Record for good how a trial ended."""
        atomic_write(self._trial_file(trial), TrialRecord(trial=trial).to_json())

    def delete_output(self, trial: str) -> None:
        """Remove a trial's output and log at once; its record stays."""
        remove_tree(self.output(trial))
        self.log(trial).unlink(missing_ok=True)

    def remove_leftovers(self) -> None:
        """Remove what killed writers left; nobody may be writing."""
        for directory in (self.path, self.trials_directory, self.outputs, *self.outputs.glob("*")):
            remove_stale_temp_files(directory)

    def revision(self) -> object:
        """Return a value that is another one whenever something was recorded; cheap."""
        with os.scandir(self.trials_directory) as entries:
            records = frozenset((entry.name, entry.inode()) for entry in entries)
        return records, (self.path / _OUTCOME).exists(), self.lock.held

    def _trial_file(self, trial: Trial) -> Path:
        return self.trials_directory / f"{trial.name}.json"


def create_run(path: Path, work: Workload, inputs: Path) -> RunDirectory:
    """Make a run directory, whole at once.

    Raises:
        NameTakenError: It is there already.
        MachineError: The disk is full, read-only or not writable.
    """
    plan = PlanRecord(
        inputs=os.path.relpath(inputs, path),
        submitted=time.time(),
        experiment=work if isinstance(work, Experiment) else None,
        task=work if isinstance(work, Task) else None,
    )
    run = RunDirectory(path)
    if not path.exists():
        with atomic_directory(path) as directory:
            write_and_sync(directory / _PLAN, plan.to_json())
            for name in ("trials", "outputs", "logs"):
                (directory / name).mkdir()
            (directory / "lock").touch()
        # Another command may have been faster.
        if run.plan() == plan:
            return run
    raise already_exists(path.name)
