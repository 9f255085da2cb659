"""From a trial or a recipe to what the store keeps of it, on any backend."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from housectl.backends.base import Backend, Handle, Task, TaskKind
from housectl.contract.evidence import Evidence, evidence_key
from housectl.contract.files import temp_directory_in
from housectl.contract.inputs import Inputs
from housectl.contract.metrics import Metrics
from housectl.contract.recipe import Recipe
from housectl.contract.trial_output import TrialOutput, invalid_output, read_trial_output
from housectl.errors import BundleError, InputsError, UnknownExperimentError
from housectl.experiment import Trial
from housectl.search import ProgressReporter, usable_trial
from housectl.store import Challenger, ChampionStore
from housectl.tasks import TaskRunner

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
    progress: ProgressReporter
    temp_root: Path
    commit: str | None = None

    def seal_best(self, handle: Handle) -> Challenger:
        """Seal the best trial that an experiment has so far, and keep it as its challenger.

        Raises:
            NoTrialError: There is none.
            TaskFailedError: The trainer could not seal it.
            UnknownExperimentError: The experiment was deleted.
            BundleError: What the trial or the task has left is damaged, or another's.
        """
        return _get_or_create(partial(self._seal_best, handle), partial(self._challenger, handle))

    def reevaluate(self, recipe: Recipe, inputs: Inputs) -> Evidence:
        """Measure a recipe on other data, or with other versions of the libraries; keep that.

        Raises:
            InputsError: The trainer's libraries are not those that the recipe names.
            TaskFailedError: The trainer could not.
        """
        found = partial(self.store.evidence, evidence_key(recipe))
        return _get_or_create(partial(self._reevaluate, recipe, inputs), found)

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
            # A search that was interrupted, or that still runs, has fitted no models yet.
            model_sha256=self._output(handle, trial).model_sha256,
        )
        image = self.backend.get_plan(handle).image
        with self._tasks.run_seal_task(
            task, self.backend.get_inputs(handle), image=image
        ) as sealed:
            return self.store.add_challenger(handle.name, sealed.bundle, sealed.evidence)

    def _output(self, handle: Handle, trial: Trial) -> TrialOutput:
        with temp_directory_in(self.temp_root) as scratch:
            output = read_trial_output(self.backend.fetch(handle, trial.name, scratch / trial.name))
        if not _matches_trial(trial, output.recipe, output.metrics):
            raise invalid_output(trial.name, f"it is not what was recorded of {trial.name}")
        return output

    def _challenger(self, handle: Handle) -> Challenger | None:
        """Return an experiment's challenger if it is the best trial so far."""
        trial = usable_trial(handle, self.backend.observe(handle))
        challenger = self.store.challenger(handle.name)
        if challenger is None:
            return None
        bundle = self.store.bundle(challenger.bundle)
        return challenger if _matches_trial(trial, bundle.record.recipe, bundle.metrics) else None

    def _reevaluate(self, recipe: Recipe, inputs: Inputs) -> Evidence:
        task = Task(
            name=f"appraise-{recipe.digest[:20]}",
            kind=TaskKind.SEAL,
            family=recipe.family,
            assignment=recipe.assignment,
        )
        with self._tasks.run_seal_task(task, inputs) as sealed:
            evidence = sealed.evidence
            self.store.add_evidence(evidence)
        if evidence.recipe != recipe:
            raise InputsError(
                f"The trainer has {evidence.recipe.libraries}, and the challenger was made with "
                f"{recipe.libraries}: they cannot be compared.",
                hint="housectl tune   # makes a challenger with today's libraries",
            )
        return evidence

    @property
    def _tasks(self) -> TaskRunner:
        return TaskRunner(backend=self.backend, progress=self.progress, temp_root=self.temp_root)


def _matches_trial(trial: Trial, recipe: Recipe, metrics: Metrics) -> bool:
    """Return whether a recipe, and what was measured of it, are a trial's."""
    made = (recipe.family, recipe.assignment, metrics.mse)
    return made == (trial.family, trial.assignment, trial.mse)


def _get_or_create(make: Callable[[], _Kept], find: Callable[[], _Kept | None]) -> _Kept:
    """Make and keep something, unless another command has just done so with the same task."""
    try:
        return make()
    except UnknownExperimentError:
        return find() or make()
    except BundleError:
        # Its files are deleted before the task itself.
        if found := find():
            return found
        raise
