"""Submitted experiments: observe, resume, stop and delete them, and seal their best trials."""

from collections.abc import Iterator
from dataclasses import dataclass

from housectl.backends.base import Backend, Handle, Overview, Plan, Snapshot
from housectl.contract.evidence import Evidence
from housectl.contract.inputs import Inputs
from housectl.errors import UnknownExperimentError
from housectl.experiment import (
    MODELS_TO_KEEP,
    Experiment,
    Trial,
    TrialState,
    possible_rivals,
    rank_trials,
)
from housectl.sealed_model import SealedModel
from housectl.sealing import Sealer
from housectl.waiting import experiment_of, wait_for_best_trial


@dataclass(frozen=True, kw_only=True)
class TrainerLog:
    """Lines that the trainer printed in one trial; `trial` is None for a task."""

    trial: str | None
    lines: Iterator[str]


@dataclass(frozen=True, kw_only=True)
class PruneResult:
    """Names of the trials whose files were kept, and of those whose files were deleted."""

    kept: tuple[str, ...]
    freed: tuple[str, ...]


@dataclass(frozen=True)
class SubmittedExperiment:
    """An experiment that was submitted.

    It runs in processes of its own or on the cluster, and ends without this process.

    >>> run = project.experiment("good")
    >>> run.observe().state.value
    'succeeded'
    >>> len(run.prune(keep_best=1).kept)
    1
    """

    handle: Handle
    sealer: Sealer

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.handle.name

    @property
    def url(self) -> str:
        """The experiment's handle, which also names the backend."""
        return self.handle.url

    @property
    def plan(self) -> Plan:
        """The plan that was submitted."""
        return self._backend.get_plan(self.handle)

    @property
    def inputs(self) -> Inputs:
        """The inputs that were submitted; on Katib, they may have to be downloaded.

        Raises:
            InputsError: They are missing or were changed.
        """
        return self._backend.get_inputs(self.handle)

    @property
    def settings(self) -> Experiment:
        """Search space, budget and limits.

        Raises:
            UnknownExperimentError: The name belongs to a task.
        """
        return experiment_of(self._backend, self.handle)

    @property
    def challenger_digest(self) -> str | None:
        """Digest of the experiment's challenger; None until its best trial is sealed."""
        challenger = self.sealer.store.challenger(self.name)
        return challenger.bundle if challenger else None

    @property
    def challenger_evidence(self) -> Evidence | None:
        """Errors of the experiment's challenger; None if they are not measured.

        Raises:
            EvidenceError: The evidence is malformed.
        """
        digest = self.challenger_digest
        return self.sealer.store.evidence(digest) if digest else None

    def observe(self) -> Snapshot:
        """Return the present state of the experiment and its trials."""
        return self._backend.observe(self.handle)

    def settled(self) -> Overview | None:
        """Return the overview of a long search on a cluster whose trials all succeeded.

        Returns:
            None for any other experiment, whose state is that of `observe`.

        >>> project.experiment("good").settled() is None
        True
        """
        return self._backend.settled(self.handle)

    def wait(self) -> Trial:
        """Wait until the experiment ends, and return its best trial.

        Raises:
            NoUsableTrialError: No trial succeeded.
            ExperimentInterruptedError: The experiment was stopped or interrupted.
        """
        return wait_for_best_trial(self._backend, self.handle, self.sealer.progress)

    def result(self) -> SealedModel:
        """Wait until the experiment ends, and seal its best trial as the challenger.

        Raises:
            NoUsableTrialError: No trial succeeded.
            ExperimentInterruptedError: The experiment was stopped or interrupted.
        """
        self.wait()
        return self.seal()

    def seal(self) -> SealedModel:
        """Seal the best trial so far, and keep it as the experiment's challenger.

        Raises:
            NoUsableTrialError: No trial has succeeded.
        """
        challenger = self.sealer.seal_best(self.handle)
        return SealedModel(self.sealer.store.bundle(challenger.bundle))

    def logs(self, trial: str | None = None) -> TrainerLog:
        """Return the trainer's output so far.

        Args:
            trial: Name or number of a trial; the best trial by default.
        """
        snapshot = self.observe()
        best = snapshot.best_trial
        names = {str(candidate.number): candidate.name for candidate in snapshot.trials}
        chosen = names.get(trial, trial) if trial else (best.name if best else None)
        return TrainerLog(trial=chosen, lines=self._backend.logs(self.handle, chosen))

    def resume(self) -> None:
        """Continue a stopped or interrupted experiment with its recorded plan."""
        self._backend.resume(self.handle)

    def stop(self) -> Snapshot | None:
        """Stop the experiment, and return its final state.

        Finished trials stay usable. An experiment without any trial is deleted: None is returned.
        """
        self._backend.stop(self.handle)
        try:
            return self.observe()
        except UnknownExperimentError:
            return None

    def delete(self) -> None:
        """Stop the experiment, and delete its files. Sealed models are kept."""
        self._backend.delete(self.handle)

    def prune(self, *, keep_best: int = MODELS_TO_KEEP) -> PruneResult:
        """Delete the files of all finished trials but the best. Objectives are kept.

        A search that may continue also keeps its possible rivals, which later trials read.
        """
        snapshot = self.observe()
        trials = snapshot.trials
        best = [trial for _, trial in rank_trials(trials)[:keep_best]]
        rivals = possible_rivals(trials) if snapshot.state.may_continue else []
        kept = tuple(dict.fromkeys(trial.name for trial in (*best, *rivals)))
        finished = [trial.name for trial in trials if trial.state is not TrialState.RUNNING]
        freed = tuple(name for name in finished if name not in kept)
        self._backend.delete_outputs(self.handle, freed)
        return PruneResult(kept=kept, freed=freed)

    @property
    def _backend(self) -> Backend:
        return self.sealer.backend
