"""The local backend: experiments and tasks on this machine."""

import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from housectl.backends.base import (
    Handle,
    Overview,
    Snapshot,
    Task,
    TrainerRecord,
    Workload,
)
from housectl.backends.local.control import start_supervisor, stop_supervisor
from housectl.backends.local.handles import SCHEME, handle_of, open_run, run_directory
from housectl.backends.local.plan import LocalPlan
from housectl.backends.local.preflight import check_disk_space, check_libraries, workers_note
from housectl.backends.local.records import LocalPlanRecord, RunOutcome
from housectl.backends.local.run_directory import RunDirectory
from housectl.backends.local.submission import copy_inputs, create_run, inputs_of_runs
from housectl.backends.local.trainer_client import last_log_line
from housectl.backends.local.trial_journal import TrialJournal
from housectl.contract.disks import describe_if_full
from housectl.contract.files import atomic_directory
from housectl.contract.inputs import Inputs, read_inputs
from housectl.contract.path_names import checked_name
from housectl.cores import usable_cores
from housectl.errors import UnknownExperimentError
from housectl.experiment import ExperimentState, TrialState

_DELETED_PREFIX = ".deleted-"
_POLL_INTERVAL_SECONDS = 0.05
_PAUSE_SECONDS_PER_TRIAL = 1e-4


@dataclass(frozen=True)
class LocalBackend:
    """Runs experiments and tasks on this machine, each under its own supervisor.

    A stopped or interrupted run can be resumed, and then yields the same trials as an uninterrupted
    one. A search that failed cannot be resumed, because its plan would fail again. A failed task
    can be retried.

    Args:
        runs: Directory with one directory for each run.
        task_python: Python that runs the trainer of tasks; None for housectl's own.
    """

    runs: Path
    task_python: Path | None = None
    _journals: dict[tuple[Handle, float], TrialJournal] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def plan(self, workload: Workload, *, inputs: Inputs, image: str | None) -> LocalPlan:  # noqa: ARG002
        """Return the plan that `submit` would run. Pure and offline; the image is not used."""
        return LocalPlan(
            workload=workload,
            inputs=inputs_of_runs(self.runs.absolute(), inputs).path,
            python=self._python(workload),
        )

    def submit(self, workload: Workload, *, inputs: Inputs, image: str | None) -> Handle:  # noqa: ARG002
        """Record the plan and start its supervisor.

        Raises:
            AlreadyExistsError: An experiment or task has that name.
            LocalEnvironmentError: A library is missing, or the disk is full or not writable.
        """
        python = self._python(workload)
        if python is None:
            check_libraries()
        check_disk_space(self.runs.absolute())
        copy_inputs(self.runs.absolute(), inputs)
        path = self._run_path(workload.name)
        handle = handle_of(create_run(path, workload, inputs=inputs.digest, python=python))
        with open_run(handle) as run:
            start_supervisor(run)
        return handle

    def get_plan(self, handle: Handle) -> LocalPlan:
        """Return the plan that was submitted. The inputs are not read.

        Raises:
            InputsError: The plan was altered.
        """
        with open_run(handle) as run:
            plan = run.plan()
            return LocalPlan(workload=plan.workload, inputs=run.inputs(), python=plan.python)

    def get_inputs(self, handle: Handle) -> Inputs:
        """Return the inputs that were submitted with the plan.

        Raises:
            InputsError: They are missing or were changed.
        """
        with open_run(handle) as run:
            path = run.inputs()
        return read_inputs(path)

    def resume(self, handle: Handle) -> None:
        """Resume after a stop or an interruption, by the recorded plan; retry a failed task.

        Raises:
            LocalEnvironmentError: A library is missing.
        """
        with open_run(handle) as run:
            if run.plan().python is None:
                check_libraries()
            start_supervisor(run)

    def handles(self) -> Sequence[Handle]:
        """Return the handles of all experiments, newest first."""
        submit_times: dict[Handle, float] = {}
        for path in self.runs.absolute().glob("[!.]*"):
            handle = handle_of(RunDirectory(path))
            with suppress(UnknownExperimentError), open_run(handle) as run:
                plan = run.plan()
                if plan.experiment is not None:
                    submit_times[handle] = plan.submitted
        return sorted(submit_times, key=submit_times.__getitem__, reverse=True)

    def overviews(self) -> Sequence[tuple[Handle, Overview]]:
        """Return the overviews of all experiments, newest first."""
        return [(handle, self.observe(handle).overview) for handle in self.handles()]

    def handle(self, name: str) -> Handle:
        """Return the handle of an experiment or task by its name or its URL.

        Raises:
            UnknownExperimentError: There is no such experiment or task.
        """
        path = run_directory(Handle(name)).path if name.startswith(SCHEME) else None
        if path and path.parent.resolve() != self.runs.resolve():
            raise UnknownExperimentError(
                f"{name} is not an experiment of this project: its runs are in {self.runs}.",
                hint="housectl list -C DIRECTORY   # lists the experiments of another project",
            )
        with open_run(handle_of(RunDirectory(self._run_path(path.name if path else name)))) as run:
            return handle_of(run)

    def observe(self, handle: Handle) -> Snapshot:
        """Return the current state of the experiment or task.

        Leaves out the trials that were running when the supervisor died: they will run again.
        """
        with open_run(handle) as run:
            plan = run.plan()
            outcome = _outcome_of(run)
            # Another search may get the name of a deleted one.
            key = (handle, plan.submitted)
            trials = self._journals.setdefault(key, run.journal()).trials()
            if outcome is None:
                return Snapshot(
                    state=ExperimentState.RUNNING,
                    trials=tuple(trials),
                    warnings=self._warnings(plan),
                    started=plan.submitted,
                )
            return Snapshot(
                state=outcome.state,
                trials=tuple(each for each in trials if each.state is not TrialState.RUNNING),
                reason=outcome.reason,
                started=plan.submitted,
                finished=outcome.finished,
            )

    def settled(self, handle: Handle) -> None:
        """Return None: a snapshot costs as little."""

    def wait(self, handle: Handle, last_snapshot: Snapshot, *, timeout: float) -> None:
        """Return when the state differs from `last_snapshot`, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        observed_revision = None
        # A caller looks at all trials after each change, so thousands of them need a pause.
        time.sleep(min(timeout, _PAUSE_SECONDS_PER_TRIAL * len(last_snapshot.trials)))
        with open_run(handle) as run:
            while (revision := run.revision()) == observed_revision or self.observe(
                handle
            ) == last_snapshot:
                observed_revision = revision
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return
                time.sleep(min(_POLL_INTERVAL_SECONDS, remaining))

    def logs(self, handle: Handle, trial: str | None) -> Iterator[str]:
        """Yield the log lines so far: of one trial, or of the trainer's process itself.

        Raises:
            UsageError: There is no such trial.
        """
        with open_run(handle) as run:
            path = run.log(trial if trial is None else run.trial(trial).name)
        with suppress(FileNotFoundError), path.open(errors="replace") as lines:
            for line in lines:
                yield line.rstrip("\n")

    def fetch(self, handle: Handle, trial: str | None, destination: Path) -> Path:
        """Copy the output of a trial, or of a task, to the new directory `destination`.

        Raises:
            BundleError: It is missing.
            UsageError: There is no such trial.
        """
        with open_run(handle) as run:
            checked_name = None if trial is None else run.trial(trial).name
        with atomic_directory(destination) as directory:
            run.copy_output(checked_name, directory)
        return destination

    def image_digest(self, handle: Handle) -> None:
        """Return None: no containers run."""

    def with_trainer(
        self,
        trainer: TrainerRecord,
        *,
        report: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> "LocalBackend":
        """Return a backend whose tasks run in an environment with the trainer's packages only.

        Raises:
            InputsError: The lock or a version is malformed.
            LocalEnvironmentError: The environment cannot be built.
        """
        from housectl.backends.local.environments import TrainerEnvironments
        from housectl.backends.local.requirements import requirements_of

        environments = TrainerEnvironments(self.runs.absolute().parent / "environments")
        python = environments.python(requirements_of(trainer, warn=warn), report)
        return replace(self, task_python=python)

    def delete_outputs(self, handle: Handle, trials: Sequence[str]) -> None:
        """Delete the outputs and logs of these trials; keep their records."""
        with open_run(handle) as run:
            for trial in run.select_trials(trials):
                run.delete_output(trial.name)

    def stop(self, handle: Handle) -> None:
        """Stop the run and wait until it has ended; finished trials stay usable. Idempotent."""
        with open_run(handle) as run:
            stop_supervisor(run)

    def delete(self, handle: Handle) -> None:
        """Stop the run, and delete all its files. Idempotent."""
        run = run_directory(handle)
        # Another command may delete the run at the same time.
        with suppress(FileNotFoundError):
            stop_supervisor(run)
            run.path.rename(
                run.path.with_name(f"{_DELETED_PREFIX}{run.name}-{secrets.token_hex(4)}")
            )
        for leftover in run.path.parent.glob(f"{_DELETED_PREFIX}*"):
            shutil.rmtree(leftover, ignore_errors=True)

    def _python(self, workload: Workload) -> str | None:
        """Return the Python that runs the trainer; None for housectl's own."""
        return str(self.task_python) if self.task_python and isinstance(workload, Task) else None

    def _run_path(self, name: str) -> Path:
        return self.runs.absolute() / checked_name(name)

    def _warnings(self, plan: LocalPlanRecord) -> tuple[str, ...]:
        note = plan.experiment and workers_note(plan.experiment.workers, self._cores)
        return (f"{note}.",) if note else ()

    @cached_property
    def _cores(self) -> int:
        return usable_cores()


def _outcome_of(run: RunDirectory) -> RunOutcome | None:
    """Return the outcome of a run, or None while it runs."""
    # The lock is read first, because a supervisor writes the outcome before it releases the lock.
    running = run.lock.held
    outcome = run.outcome()
    if running or outcome is not None:
        return outcome
    # On a full disk, the supervisor can write neither an outcome nor a log.
    known = last_log_line(run.supervisor_log) or describe_if_full(run.path)
    cause = f": {known}" if known else ""
    hint = "" if run.plan().experiment is None else f" Hint: housectl tune --resume {run.name}"
    return RunOutcome(
        state=ExperimentState.INTERRUPTED, reason=f"The supervisor died{cause}.{hint}"
    )
