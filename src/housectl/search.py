"""From a plan to a sealed model, on any backend."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from housectl.backends.base import Backend, Handle, Snapshot, Task, TaskKind
from housectl.contract.bundle import NATIVE_FILES, Bundle, read_bundle
from housectl.contract.checksum import checked_digest
from housectl.contract.evidence import EVIDENCE_FILE, Evidence
from housectl.contract.files import (
    ABANDONED_SECONDS,
    TEMPORARY_PREFIX,
    remove_leftovers,
)
from housectl.contract.inputs import Inputs
from housectl.contract.recipe import Recipe
from housectl.errors import (
    ClusterError,
    ExperimentStoppedError,
    InputsError,
    NoTrialError,
    TaskFailedError,
    UnknownExperimentError,
)
from housectl.experiment import (
    Experiment,
    ExperimentState,
    Trial,
    best_trial,
    failed_trials,
    failure_summary,
)

LOOK_SECONDS = 1.0


class Watcher(Protocol):
    """Is told what happens while a command waits."""

    def searching(self, experiment: Experiment, snapshot: Snapshot) -> None:
        """An experiment was looked at."""

    def working(self, task: Task, snapshot: Snapshot, said: Callable[[], str]) -> None:
        """A task was looked at; `said` looks for the last line that it printed."""


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """What sealing yields; the bundle is held in memory."""

    bundle: Bundle
    evidence: Evidence


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Runs work on one backend and waits for it.

    Attributes:
        scratch: Directory for what is fetched, on a disk with room for a bundle.
        commit: That of the project, for provenance.
    """

    backend: Backend
    watcher: Watcher
    scratch: Path
    commit: str | None = None

    def search(self, handle: Handle) -> Trial:
        """Wait until an experiment has ended, and return its best trial.

        Raises:
            ExperimentStoppedError: It was stopped or interrupted before its end.
            NoTrialError: No trial can be used, or too many failed.
        """
        experiment = experiment_of(self.backend, handle)
        snapshot = self._wait(handle, lambda seen: self.watcher.searching(experiment, seen))
        if snapshot.state in {ExperimentState.STOPPED, ExperimentState.INTERRUPTED}:
            raise ExperimentStoppedError(
                f"The experiment {handle.name} is {snapshot.state}: {snapshot.reason}",
                hint=f"housectl tune --resume {handle.name}   # or use what it has: "
                f"housectl promote {handle.name}",
            )
        if snapshot.state is ExperimentState.FAILED:
            raise _no_trial(handle, snapshot)
        return usable_trial(handle, snapshot)

    def seal_best(self, handle: Handle) -> Sealed:
        """Seal the best trial that an experiment has so far.

        Raises:
            NoTrialError: There is none.
            TaskFailedError: The trainer could not seal it.
        """
        trial = usable_trial(handle, self.backend.observe(handle))
        with self._scratch() as scratch:
            output = self.backend.fetch(handle, trial.name, scratch / "trial")
            # A search that was interrupted, or that still runs, has fitted no models yet.
            model_sha256 = checked_digest(output / NATIVE_FILES[trial.family])
        task = Task(
            name=f"{handle.name}-seal-{trial.number}",
            kind=TaskKind.SEAL,
            family=trial.family,
            assignment=trial.assignment,
            experiment=handle.name,
            trial=trial.name,
            commit=self.commit,
            model_sha256=model_sha256,
        )
        image = self.backend.recorded(handle).image
        return self.seal(task, self.backend.inputs(handle), image=image)

    def appraise(self, recipe: Recipe, inputs: Inputs) -> Evidence:
        """Measure a recipe on other data, or with other versions of the libraries.

        Raises:
            InputsError: The trainer's libraries are not those that the recipe names.
            TaskFailedError: The trainer could not.
        """
        task = Task(
            name=f"appraise-{recipe.digest[:20]}",
            kind=TaskKind.SEAL,
            family=recipe.family,
            assignment=recipe.assignment,
        )
        evidence = self.seal(task, inputs).evidence
        if evidence.recipe != recipe:
            raise InputsError(
                f"The trainer has {evidence.recipe.libraries}, and the challenger was made with "
                f"{recipe.libraries}: they cannot be compared.",
                hint="housectl tune   # makes a challenger with today's libraries",
            )
        return evidence

    def seal(self, task: Task, inputs: Inputs, *, image: str | None = None) -> Sealed:
        """Run a sealing task, or go on with the same one, and bring its output here.

        Args:
            task: What to seal.
            inputs: What the trainer needs.
            image: The trainer's, where there are containers; None for the backend's own.

        Raises:
            TaskFailedError: The trainer could not seal it.
        """
        handle = self._send(task, inputs, image)
        said = partial(self._last_line, handle)
        snapshot = self._wait(handle, lambda seen: self.watcher.working(task, seen, said))
        if snapshot.state is not ExperimentState.SUCCEEDED:
            raise TaskFailedError(
                f"{task.name} {snapshot.state}: {snapshot.reason}",
                hint=f"housectl logs {task.name}",
            )
        with self._scratch() as scratch:
            output = self.backend.fetch(handle, None, scratch / "sealed")
            sealed = Sealed(
                bundle=read_bundle(output / "bundle"),
                evidence=Evidence.from_json((output / EVIDENCE_FILE).read_bytes()),
            )
        self.backend.delete(handle)
        return sealed

    def _send(self, task: Task, inputs: Inputs, image: str | None) -> Handle:
        plan = self.backend.plan(task, inputs=inputs, image=image)
        try:
            handle = self.backend.handle(task.name)
        except UnknownExperimentError:
            return self.backend.submit(task, inputs=inputs, image=image)
        if str(self.backend.recorded(handle)) == str(plan):
            self.backend.resume(handle)
            return handle
        self.backend.delete(handle)
        return self.backend.submit(task, inputs=inputs, image=image)

    def _wait(self, handle: Handle, report: Callable[[Snapshot], None]) -> Snapshot:
        while True:
            snapshot = self.backend.observe(handle)
            report(snapshot)
            if snapshot.state.ended:
                return snapshot
            self.backend.wait(handle, snapshot, timeout=LOOK_SECONDS)

    def _last_line(self, handle: Handle) -> str:
        """Return the last line of a task's log; empty while the cluster cannot tell."""
        last: deque[str] = deque(maxlen=1)
        with suppress(ClusterError):
            last.extend(self.backend.logs(handle, None))
        return last[0] if last else ""

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        self.scratch.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.scratch, older_than=ABANDONED_SECONDS)
        with TemporaryDirectory(prefix=TEMPORARY_PREFIX, dir=self.scratch) as name:
            yield Path(name)


def experiment_of(backend: Backend, handle: Handle) -> Experiment:
    """Return the experiment that was submitted under this handle.

    Raises:
        UnknownExperimentError: It is a task.
    """
    work = backend.recorded(handle).work
    if isinstance(work, Task):
        raise UnknownExperimentError(
            f"{handle.name} is a task, not an experiment.", hint="housectl list"
        )
    return work


def usable_trial(handle: Handle, snapshot: Snapshot) -> Trial:
    """Return the best trial so far.

    Raises:
        NoTrialError: None has succeeded.
    """
    trial = best_trial(snapshot.trials)
    if trial is None:
        raise _no_trial(handle, snapshot)
    return trial


def _no_trial(handle: Handle, snapshot: Snapshot) -> NoTrialError:
    failed = failed_trials(snapshot.trials)
    nothing = failure_summary(snapshot.trials) if failed else "no trial has succeeded."
    return NoTrialError(
        f"The experiment {handle.name} {snapshot.state}: {snapshot.reason or nothing}",
        hint=f"housectl logs {handle.name} --trial {failed[0].name}"
        if failed
        else f"housectl status {handle.name}",
    )
