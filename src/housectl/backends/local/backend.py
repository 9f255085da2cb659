"""The local backend: experiments and tasks on this machine."""

import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from housectl.backends.base import Handle, Snapshot, Workload
from housectl.backends.local.control import start, stop
from housectl.backends.local.plan import LocalPlan
from housectl.backends.local.preflight import check_libraries, check_space
from housectl.backends.local.records import RunOutcome
from housectl.backends.local.run_directory import RunDirectory, create_run
from housectl.backends.local.trainer_process import last_line
from housectl.backends.messages import unknown_experiment
from housectl.contract.files import atomic_directory
from housectl.contract.inputs import Inputs, read_inputs
from housectl.errors import UnknownExperimentError
from housectl.experiment import ExperimentState

_SCHEME = "local://"
_DELETED = ".deleted-"
_PAUSE = 0.05


@dataclass(frozen=True)
class LocalBackend:
    """Runs experiments and tasks on this machine, each under a supervisor of its own.

    A run that was stopped or interrupted can be resumed, and then yields the trials of an
    uninterrupted one. One that ended by itself, also by too many failed trials, cannot: its plan
    would fail again. Only a failed task is tried again.

    Args:
        runs: Holds a directory for each run.
    """

    runs: Path

    def plan(self, work: Workload, *, inputs: Inputs, image: str | None) -> LocalPlan:  # noqa: ARG002
        """Return what `submit` would do. Pure and offline; images are for other backends."""
        return LocalPlan(workload=work, inputs=inputs)

    def submit(self, work: Workload, *, inputs: Inputs, image: str | None) -> Handle:  # noqa: ARG002
        """Write the plan down and start its supervisor.

        Raises:
            NameTakenError: Something has that name.
            MachineError: A library is missing, or the disk is in the way.
        """
        check_libraries()
        check_space(self.runs.absolute())
        path = self.runs.absolute() / work.name
        handle = _handle(create_run(path, work, inputs.path.absolute()))
        with _existing(handle) as run:
            start(run)
        return handle

    def get_plan(self, handle: Handle) -> LocalPlan:
        """Return the plan that was submitted.

        Raises:
            InputsError: Its inputs are missing or altered.
        """
        with _existing(handle) as run:
            return LocalPlan(workload=run.plan().workload, inputs=self.get_inputs(handle))

    def get_inputs(self, handle: Handle) -> Inputs:
        """Return the inputs that it was submitted with.

        Raises:
            InputsError: They are missing or altered.
        """
        with _existing(handle) as run:
            path = run.inputs()
        return read_inputs(path)

    def resume(self, handle: Handle) -> None:
        """Go on with the recorded plan after a stop or an interruption; try a failed task again.

        Raises:
            MachineError: A library is missing.
        """
        check_libraries()
        with _existing(handle) as run:
            start(run)

    def handles(self) -> Sequence[Handle]:
        """Return all experiments, the newest first."""
        submitted: dict[Handle, float] = {}
        for path in self.runs.absolute().glob("[!.]*"):
            handle = _handle(RunDirectory(path))
            with suppress(UnknownExperimentError), _existing(handle) as run:
                plan = run.plan()
                if plan.experiment is not None:
                    submitted[handle] = plan.submitted
        return sorted(submitted, key=submitted.__getitem__, reverse=True)

    def handle(self, name: str) -> Handle:
        """Return the handle of an experiment or task by its name or its URL.

        Raises:
            UnknownExperimentError: There is none.
        """
        url = (
            name
            if name.startswith(_SCHEME)
            else _handle(RunDirectory(self.runs.absolute() / name)).url
        )
        with _existing(Handle(url)) as run:
            return _handle(run)

    def observe(self, handle: Handle) -> Snapshot:
        """Look once at the experiment or task and its trials.

        Trials that were in flight when the supervisor died are left out: they will run again.
        """
        with _existing(handle) as run:
            submitted = run.plan().submitted
            outcome = _outcome(run)
            if outcome is None:
                return Snapshot(
                    state=ExperimentState.RUNNING, trials=tuple(run.trials()), started=submitted
                )
            return Snapshot(
                state=outcome.state,
                trials=tuple(run.finished_trials()),
                reason=outcome.reason,
                started=submitted,
                finished=outcome.finished,
            )

    def wait(self, handle: Handle, seen: Snapshot, *, timeout: float) -> None:
        """Return when something differs from `seen`, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        looked_at = None
        with _existing(handle) as run:
            while (mark := run.revision()) == looked_at or self.observe(handle) == seen:
                looked_at = mark
                left = deadline - time.monotonic()
                if left <= 0:
                    return
                time.sleep(min(_PAUSE, left))

    def logs(self, handle: Handle, trial: str | None) -> Iterator[str]:
        """Yield the trainer's own lines so far: of one trial, or of the trainer's process itself.

        Raises:
            UsageError: There is no such trial.
        """
        with _existing(handle) as run:
            path = run.log(trial if trial is None else run.trial(trial).name)
        with suppress(FileNotFoundError), path.open(errors="replace") as lines:
            for line in lines:
                yield line.rstrip("\n")

    def fetch(self, handle: Handle, trial: str | None, into: Path) -> Path:
        """Copy the output of a trial, or of a task, to the new directory `into`.

        Raises:
            BundleError: It is missing.
            UsageError: There is no such trial.
        """
        with _existing(handle) as run:
            known = None if trial is None else run.trial(trial).name
        with atomic_directory(into) as directory:
            run.copy_output(known, directory)
        return into

    def delete_outputs(self, handle: Handle, trials: Sequence[str]) -> None:
        """Free the outputs and logs of these trials; their records stay."""
        with _existing(handle) as run:
            for trial in run.trials_named(trials):
                run.delete_output(trial.name)

    def stop(self, handle: Handle) -> None:
        """End it, and return when it has ended; finished trials stay usable. Idempotent."""
        with _existing(handle) as run:
            stop(run)

    def delete(self, handle: Handle) -> None:
        """Stop it, and forget it with all its files. Idempotent."""
        run = _run(handle)
        # Another command may delete it, too.
        with suppress(FileNotFoundError):
            stop(run)
            run.path.rename(run.path.with_name(f"{_DELETED}{run.name}-{secrets.token_hex(4)}"))
        for remains in run.path.parent.glob(f"{_DELETED}*"):
            shutil.rmtree(remains, ignore_errors=True)


def _handle(run: RunDirectory) -> Handle:
    return Handle(f"{_SCHEME}{quote(str(run.path))}")


def _run(handle: Handle) -> RunDirectory:
    return RunDirectory(Path(unquote(handle.url.removeprefix(_SCHEME))))


@contextmanager
def _existing(handle: Handle) -> Iterator[RunDirectory]:
    """Yield a run; it is unknown, too, if another command deletes it in the block."""
    run = _run(handle)
    if run.exists:
        try:
            yield run
        except FileNotFoundError:
            if run.exists:
                raise
        else:
            return
    raise unknown_experiment(handle.name)


def _outcome(run: RunDirectory) -> RunOutcome | None:
    """Return how a run ended, or None while it runs."""
    # In this order, as a supervisor writes the outcome before it frees the lock.
    running = run.lock.held
    recorded = run.outcome()
    if running or recorded is not None:
        return recorded
    said = last_line(run.supervisor_log)
    hint = "" if run.plan().experiment is None else f" To go on: housectl tune --resume {run.name}"
    return RunOutcome(
        state=ExperimentState.INTERRUPTED,
        reason=f"Its supervisor died{': ' if said else ''}{said}.{hint}",
    )
