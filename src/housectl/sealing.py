"""Sealing trials and reevaluating recipes, on any backend."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec import UNSET

from housectl.backends.base import Backend, Handle, Task, TaskKind
from housectl.contract.bundle import Bundle
from housectl.contract.evidence import Evidence, evidence_key
from housectl.contract.files import temp_directory_in
from housectl.contract.golden import GoldenSource
from housectl.contract.inputs import Inputs
from housectl.contract.metrics import Metrics
from housectl.contract.recipe import Recipe
from housectl.contract.trial_output import TrialOutput, invalid_output, read_trial_output
from housectl.errors import BundleError, InputsError, UnknownExperimentError
from housectl.estimation.model_size import LARGE_BYTES, SMALLER_MODELS_HINT
from housectl.experiment import Trial
from housectl.seal_tasks import SealTaskRunner
from housectl.store.base import ChampionStore
from housectl.store.challenger import Challenger
from housectl.waiting import ProgressReporter, usable_trial
from housectl.workspace import git_commit

_Stored = TypeVar("_Stored")


@dataclass(frozen=True, kw_only=True)
class Sealer:
    """Trains recipes again, and keeps the results in the store.

    Attributes:
        temp_root: Directory for downloads, on a disk with space for a bundle.
        repository: Directory whose git commit a bundle records as its origin; None for no commit.
        golden: Returns the origin of the golden rows of new bundles.
    """

    backend: Backend
    store: ChampionStore
    progress: ProgressReporter
    temp_root: Path
    repository: Path | None = None
    golden: Callable[[], GoldenSource] = lambda: GoldenSource.DATA

    def seal_best(self, handle: Handle) -> Challenger:
        """Seal the best trial of an experiment so far, and keep it as the challenger.

        Raises:
            NoUsableTrialError: No trial has succeeded.
            TaskFailedError: The sealing task failed.
            UnknownExperimentError: The experiment was deleted.
            BundleError: An output of the trial or the task is damaged, or has another recipe.
        """
        return _get_or_create(partial(self._seal_best, handle), partial(self._challenger, handle))

    def find_or_seal(self, handle: Handle) -> Challenger:
        """Return the challenger of an experiment if it is the best trial; otherwise seal that one.

        Raises:
            NoUsableTrialError: No trial has succeeded.
            TaskFailedError: The sealing task failed.
            UnknownExperimentError: The experiment was deleted.
            BundleError: An output of the trial or the task is damaged, or has another recipe.
        """
        trial = usable_trial(handle, self.backend.observe(handle))
        challenger = self._challenger(handle)
        if challenger is None:
            return self.seal_best(handle)
        # A command that was killed after sealing has left its task.
        with suppress(UnknownExperimentError):
            self.backend.delete(self.backend.handle(_seal_task_name(handle, trial)))
        return challenger

    def reevaluate(self, recipe: Recipe, inputs: Inputs) -> Evidence:
        """Measure a recipe on other data or with other library versions, and keep the evidence.

        Raises:
            InputsError: The trainer has another training procedure or other library versions than
                the recipe.
            TaskFailedError: The sealing task failed.
        """
        stored_evidence = partial(self.store.evidence, evidence_key(recipe))
        return _get_or_create(partial(self._reevaluate, recipe, inputs), stored_evidence)

    def _seal_best(self, handle: Handle) -> Challenger:
        trial = usable_trial(handle, self.backend.observe(handle))
        task = Task(
            name=_seal_task_name(handle, trial),
            kind=TaskKind.SEAL,
            family=trial.family,
            assignment=trial.assignment,
            experiment=handle.name,
            trial=trial.name,
            commit=git_commit(self.repository) if self.repository else None,
            # None while the experiment runs or after an interruption: models are fitted at its end.
            model_sha256=self._output(handle, trial).model_sha256,
            golden=self.golden(),
        )
        image = self.backend.get_plan(handle).image
        with self._tasks.run_seal_task(
            task, self.backend.get_inputs(handle), image=image
        ) as sealed:
            if sealed.lock is not None:
                self.store.add_lock(sealed.lock)
            challenger = self.store.add_challenger(handle.name, sealed.bundle, sealed.evidence)
            self._warn_of_size(sealed.bundle)
            return challenger

    def _warn_of_size(self, bundle: Bundle) -> None:
        size = sum(map(len, bundle.content.values()))
        if size > LARGE_BYTES:
            self.progress.on_warning(
                f"The bundle {bundle.version} has {size / 1e6:.0f} MB, so that servers start "
                "slowly.",
                SMALLER_MODELS_HINT,
            )

    def _output(self, handle: Handle, trial: Trial) -> TrialOutput:
        with temp_directory_in(self.temp_root) as directory:
            path = self.backend.fetch(handle, trial.name, directory / trial.name)
            output = read_trial_output(path)
        if not _matches_trial(trial, output.recipe, output.metrics):
            raise invalid_output(trial.name, "its recipe or MSE differs from the trial's record")
        return output

    def _challenger(self, handle: Handle) -> Challenger | None:
        """Return an experiment's challenger if it is the best trial so far."""
        trial = usable_trial(handle, self.backend.observe(handle))
        challenger = self.store.challenger(handle.name)
        if challenger is None or not self.store.has_bundle(challenger.bundle):
            return None
        bundle = self.store.bundle(challenger.bundle)
        return challenger if _matches_trial(trial, bundle.record.recipe, bundle.metrics) else None

    def _reevaluate(self, recipe: Recipe, inputs: Inputs) -> Evidence:
        task = Task(
            name=f"reevaluate-{recipe.digest[:20]}",
            kind=TaskKind.SEAL,
            family=recipe.family,
            assignment=recipe.assignment,
        )
        with self._tasks.run_seal_task(task, inputs) as sealed:
            evidence = sealed.evidence
            self.store.add_evidence(evidence, name=evidence.key)
        if evidence.recipe != recipe:
            raise _other_trainer(evidence.recipe, recipe)
        return evidence

    @property
    def _tasks(self) -> SealTaskRunner:
        return SealTaskRunner(
            backend=self.backend, progress=self.progress, temp_root=self.temp_root
        )


def _seal_task_name(handle: Handle, trial: Trial) -> str:
    return f"{handle.name}-seal-{trial.number}"


def _matches_trial(trial: Trial, recipe: Recipe, metrics: Metrics) -> bool:
    """Return True if a recipe and its MSE are the trial's."""
    trained = (recipe.family, recipe.assignment, metrics.mse)
    return trained == (trial.family, trial.assignment, trial.mse)


def _other_trainer(actual: Recipe, expected: Recipe) -> InputsError:
    trainer, challenger = (
        f"version {1 if each.training is UNSET else each.training} of the training procedure and "
        f"{each.libraries}"
        for each in (actual, expected)
    )
    return InputsError(
        f"Reevaluation failed: the trainer has {trainer}, but the challenger was trained with "
        f"{challenger}.",
        hint="housectl tune   # makes a challenger with the installed trainer",
    )


def _get_or_create(create: Callable[[], _Stored], get: Callable[[], _Stored | None]) -> _Stored:
    """Create a stored object, unless another command has just created it with the same task."""
    try:
        return create()
    except UnknownExperimentError:
        return get() or create()
    except BundleError:
        # A task's files are deleted before the task itself.
        if stored := get():
            return stored
        raise
