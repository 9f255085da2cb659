"""The run directory: an experiment or a task in files, valid after a kill at any moment.

plan.json            the submitted plan; never changes
lock                 held by the running supervisor
trials.jsonl         journal of the trials; earlier versions wrote trials/0007.json
outputs/0007/        output of a trial      output/            output of a task
logs/0007.log        log of a trial         logs/trainer.log   log of a pool or a task
outcome.json         outcome of the run
supervisor.log       errors of the supervisor itself; otherwise empty
"""

import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from housectl.backends.local.lock import Lock
from housectl.backends.local.records import LocalPlanRecord, RunOutcome
from housectl.backends.local.trial_journal import TrialJournal
from housectl.backends.messages import select_trials
from housectl.contract.files import atomic_write, remove_tree, sync_directory
from housectl.contract.path_names import checked_name
from housectl.contract.record import MalformedRecordError, Record
from housectl.contract.regular_files import read_regular
from housectl.contract.temp_files import TEMP_PREFIX, remove_stale_temp_files
from housectl.contract.trial_output import has_model, remove_model
from housectl.errors import BundleError, InputsError
from housectl.experiment import ExperimentState, Trial

R = TypeVar("R", bound=Record)
PLAN_FILE = "plan.json"
JOURNAL_FILE = "trials.jsonl"
_OUTCOME_FILE = "outcome.json"
_IGNORE_TEMP_FILES = shutil.ignore_patterns(f"{TEMP_PREFIX}*")


@dataclass(frozen=True)
class RunDirectory:
    """The directory of one run."""

    path: Path

    @property
    def name(self) -> str:
        """The name of its experiment or task."""
        return self.path.name

    @property
    def exists(self) -> bool:
        """True if the run was submitted and not deleted."""
        return (self.path / PLAN_FILE).exists()

    @property
    def lock(self) -> Lock:
        """The lock that a running supervisor holds."""
        return Lock(self.path / "lock")

    @property
    def outputs(self) -> Path:
        """Directory of the trials' outputs."""
        return self.path / "outputs"

    def journal(self) -> TrialJournal:
        """Return the journal of the trials."""
        return TrialJournal(self.path / JOURNAL_FILE, earlier=self.path / "trials")

    @property
    def supervisor_log(self) -> Path:
        """File with the errors of the supervisor itself."""
        return self.path / "supervisor.log"

    def output(self, trial: str | None) -> Path:
        """Return the output directory of a trial, or of the task."""
        return self.path / "output" if trial is None else self.outputs / checked_name(trial)

    def missing_model(self, trial: Trial) -> bool:
        """Return True if a trial has an output without a complete model."""
        output = self.output(trial.name)
        return output.exists() and not has_model(output, trial.family)

    def remove_model(self, trial: Trial) -> None:
        """Remove a trial's model, if it was fitted."""
        remove_model(self.output(trial.name), trial.family)

    def copy_output(self, trial: str | None, destination: Path) -> None:
        """Copy the output of a trial, or of the task, into an existing empty directory.

        Raises:
            BundleError: There is no such output.
        """
        output = self.output(trial)
        try:
            shutil.copytree(output, destination, dirs_exist_ok=True, ignore=_IGNORE_TEMP_FILES)
        except OSError as error:
            if output.exists():
                raise
            raise BundleError(
                f"Output {output} does not exist: it was deleted or never created.",
                hint="housectl tune   # runs a new search",
            ) from error

    def log(self, trial: str | None) -> Path:
        """Return the log file of a trial, or of the trainer's process itself."""
        return self.path / "logs" / f"{checked_name(trial or 'trainer')}.log"

    def plan(self) -> LocalPlanRecord:
        """Read the submitted plan."""
        return self._read(LocalPlanRecord, PLAN_FILE)

    def inputs(self) -> Path:
        """Return the inputs directory."""
        return inputs_root(self.path.parent) / self.plan().inputs

    def outcome(self) -> RunOutcome | None:
        """Read the outcome; None if the run has not ended."""
        try:
            return self._read(RunOutcome, _OUTCOME_FILE)
        except FileNotFoundError:
            return None

    @property
    def interrupted(self) -> bool:
        """True if the run has no outcome yet, or was interrupted."""
        outcome = self.outcome()
        return outcome is None or outcome.state is ExperimentState.INTERRUPTED

    @property
    def unfinished(self) -> bool:
        """True if a supervisor would have work to do: a failed task is retried."""
        outcome = self.outcome()
        if outcome is None:
            return True
        if outcome.state is ExperimentState.FAILED:
            return self.plan().task is not None
        return outcome.state is not ExperimentState.SUCCEEDED

    def record_outcome(self, outcome: RunOutcome) -> None:
        """Record the outcome."""
        atomic_write(self.path / _OUTCOME_FILE, outcome.to_json())

    def reopen(self) -> None:
        """Remove the outcome, because the run is resumed."""
        (self.path / _OUTCOME_FILE).unlink(missing_ok=True)
        sync_directory(self.path)

    def trial(self, name: str) -> Trial:
        """Return one trial.

        Raises:
            UsageError: There is no trial with that name.
        """
        (trial,) = self.select_trials([name])
        return trial

    def select_trials(self, names: Sequence[str]) -> list[Trial]:
        """Return trials by their names; read all records once.

        Raises:
            UsageError: There is no trial with one of the names.
        """
        return select_trials(names, self.journal().trials(), experiment=self.name)

    def delete_output(self, trial: str) -> None:
        """Remove a trial's output and log; keep its record."""
        remove_tree(self.output(trial))
        self.log(trial).unlink(missing_ok=True)

    def remove_temp_files(self) -> None:
        """Remove the temporary files of killed writers; no other process may be writing."""
        for directory in (self.path, self.outputs, *self.outputs.glob("*")):
            remove_stale_temp_files(directory, older_than=0.0)

    def revision(self) -> object:
        """Return a value that changes with every record; cheap to compute."""
        has_outcome = (self.path / _OUTCOME_FILE).exists()
        return self.journal().revision(), has_outcome, self.lock.held

    def _read(self, kind: type[R], name: str) -> R:
        try:
            return kind.from_json(read_regular(self.path / name))
        except MalformedRecordError as error:
            hint = f"housectl delete {shlex.quote(self.name)}   # deletes the experiment's files"
            raise InputsError(f"{self.path / name} is altered: {error}.", hint=hint) from error


def inputs_root(runs: Path) -> Path:
    """Return the directory of all inputs, which is beside the directory of all runs."""
    return runs.parent / "inputs"
