"""From a trial or a recipe to what the store keeps of it, on any backend.

Two commands may seal the same at the same time. They share one task. What it made is kept first,
and then the task is deleted: who finds it gone finds in the store what it made.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from housectl.backends.base import Backend, Handle, Task, TaskKind
from housectl.contract.bundle import BundleRecord
from housectl.contract.evidence import Evidence, evidence_key
from housectl.contract.files import ABANDONED_SECONDS, TEMPORARY_PREFIX, remove_leftovers
from housectl.contract.inputs import Inputs
from housectl.contract.metrics import Metrics
from housectl.contract.recipe import Recipe
from housectl.contract.sealed import Sealed, read_sealed
from housectl.contract.trial_output import TrialOutput, read_trial_output, refused_output
from housectl.errors import (
    BundleError,
    ClusterError,
    InputsError,
    NameTakenError,
    TaskFailedError,
    UnknownExperimentError,
)
from housectl.experiment import ExperimentState, Trial
from housectl.search import Watcher, usable_trial, wait_for_end
from housectl.store import Challenger, ChampionStore

_Kept = TypeVar("_Kept")


@dataclass(frozen=True, kw_only=True)
class Sealer:
    """Has recipes trained again, and keeps what comes of it.

    Attributes:
        scratch: Directory for what is fetched, on a disk with room for a bundle.
        commit: That of the project, for provenance.
    """

    backend: Backend
    store: ChampionStore
    watcher: Watcher
    scratch: Path
    commit: str | None = None

    def seal_best(self, handle: Handle) -> Challenger:
        """Seal the best trial that an experiment has so far, and keep it as its challenger.

        Raises:
            NoTrialError: There is none.
            TaskFailedError: The trainer could not seal it.
            UnknownExperimentError: The experiment was deleted.
        """
        return _by_one(partial(self._seal_best, handle), partial(self._challenger, handle))

    def appraise(self, recipe: Recipe, inputs: Inputs) -> Evidence:
        """Measure a recipe on other data, or with other versions of the libraries; keep that.

        Raises:
            InputsError: The trainer's libraries are not those that the recipe names.
            TaskFailedError: The trainer could not.
        """
        kept = partial(self.store.evidence, evidence_key(recipe))
        return _by_one(partial(self._appraise, recipe, inputs), kept)

    @contextmanager
    def sealed(self, task: Task, inputs: Inputs, *, image: str | None = None) -> Iterator[Sealed]:
        """Run a sealing task, or go on with the same one, and yield what it made to be kept.

        Args:
            task: What to seal; it is deleted after a block that ends well.
            inputs: What the trainer needs.
            image: The trainer's, where there are containers; None for the backend's own.

        Raises:
            TaskFailedError: The trainer could not seal it.
            UnknownExperimentError: Another command has kept it, and deleted the task.
            BundleError: What it made is damaged, or another recipe's.
        """
        handle = self._send(task, inputs, image)
        said = partial(self._last_line, handle)
        snapshot = wait_for_end(
            self.backend, handle, lambda seen: self.watcher.working(task, seen, said)
        )
        if snapshot.state is not ExperimentState.SUCCEEDED:
            raise TaskFailedError(
                f"{task.name} {snapshot.state}: {snapshot.reason}",
                hint=f"housectl logs {task.name}",
            )
        sealed = self._bring(handle)
        _check_recipe(sealed.bundle.record, task, inputs)
        yield sealed
        self.backend.delete(handle)

    def _seal_best(self, handle: Handle) -> Challenger:
        trial = usable_trial(handle, self.backend.observe(handle))
        task = Task(
            name=f"{handle.name}-seal-{trial.number}",
            kind=TaskKind.SEAL,
            family=trial.family,
            assignment=trial.assignment,
            experiment=handle.name,
            trial=trial.name,
            commit=self.commit,
            # None where a search was interrupted, or still runs: it has fitted no models yet.
            model_sha256=self._output(handle, trial).model_sha256,
        )
        image = self.backend.recorded(handle).image
        with self.sealed(task, self.backend.inputs(handle), image=image) as sealed:
            return self.store.add_challenger(handle.name, sealed.bundle, sealed.evidence)

    def _output(self, handle: Handle, trial: Trial) -> TrialOutput:
        with self._scratch() as scratch:
            output = read_trial_output(self.backend.fetch(handle, trial.name, scratch / trial.name))
        if not _is_of(trial, output.recipe, output.metrics):
            raise refused_output(trial.name, f"it is not what was recorded of {trial.name}")
        return output

    def _challenger(self, handle: Handle) -> Challenger | None:
        """Return an experiment's challenger if it is the best trial so far."""
        trial = usable_trial(handle, self.backend.observe(handle))
        challenger = self.store.challenger(handle.name)
        if challenger is None:
            return None
        bundle = self.store.bundle(challenger.bundle)
        return challenger if _is_of(trial, bundle.record.recipe, bundle.metrics) else None

    def _appraise(self, recipe: Recipe, inputs: Inputs) -> Evidence:
        task = Task(
            name=f"appraise-{recipe.digest[:20]}",
            kind=TaskKind.SEAL,
            family=recipe.family,
            assignment=recipe.assignment,
        )
        with self.sealed(task, inputs) as sealed:
            evidence = sealed.evidence
            self.store.add_evidence(evidence)
        if evidence.recipe != recipe:
            raise InputsError(
                f"The trainer has {evidence.recipe.libraries}, and the challenger was made with "
                f"{recipe.libraries}: they cannot be compared.",
                hint="housectl tune   # makes a challenger with today's libraries",
            )
        return evidence

    def _send(self, task: Task, inputs: Inputs, image: str | None) -> Handle:
        plan = self.backend.plan(task, inputs=inputs, image=image)
        try:
            handle = self.backend.handle(task.name)
        except UnknownExperimentError:
            with suppress(NameTakenError):
                return self.backend.submit(task, inputs=inputs, image=image)
            handle = self.backend.handle(task.name)
        if str(self.backend.recorded(handle)) == str(plan):
            self.backend.resume(handle)
            return handle
        self.backend.delete(handle)
        return self._send(task, inputs, image)

    def _bring(self, handle: Handle) -> Sealed:
        try:
            with self._scratch() as scratch:
                return read_sealed(self.backend.fetch(handle, None, scratch / "sealed"))
        # Where another command has deleted the task, these are but what comes of that.
        except ClusterError:
            self.backend.handle(handle.url)
            raise
        except BundleError as error:
            self.backend.handle(handle.url)
            raise _useless(handle.name, error.message) from error

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


def _is_of(trial: Trial, recipe: Recipe, metrics: Metrics) -> bool:
    """Return whether a recipe, and what was measured of it, are a trial's."""
    made = (recipe.family, recipe.assignment, metrics.mse)
    return made == (trial.family, trial.assignment, trial.mse)


def _check_recipe(record: BundleRecord, task: Task, inputs: Inputs) -> None:
    shared = inputs.shared
    wanted = shared.recipe(task.family, task.assignment, record.recipe.libraries)
    if (record.schema, record.recipe) != (shared.schema, wanted):
        raise _useless(task.name, f"The output of {task.name} is another recipe's.")


def _useless(task: str, why: str) -> BundleError:
    return BundleError(why, hint=f"housectl delete {task}   # then run the same command again")


def _by_one(make: Callable[[], _Kept], kept: Callable[[], _Kept | None]) -> _Kept:
    """Make and keep something, unless another command has just done so with the same task."""
    try:
        return make()
    except UnknownExperimentError:
        return kept() or make()
