"""The finished trials of a search; each decision about the next trial takes constant time."""

from collections.abc import Collection, Iterable, Mapping

from housectl.backends.local.records import TrialRecord
from housectl.experiment import MODELS_TO_KEEP, Experiment, Trial, TrialState, rank_trials
from housectl.search.sampler import rival_of


class FinishedTrials:
    """The finished trials, and the values that suggestions, pruning and limits depend on.

    Args:
        experiment: The experiment of the trials.
        records: The trials that finished before.
    """

    def __init__(self, experiment: Experiment, records: Iterable[TrialRecord]) -> None:
        self._experiment = experiment
        self._trials: dict[int, Trial] = {}
        self._objectives: dict[int, float] = {}
        self._fold_mses: dict[int, tuple[float, ...]] = {}
        self._failed: list[Trial] = []
        self._best: list[Trial] = []
        self._unfinished = 0
        self._rivals: list[int | None] = []
        for record in records:
            self.add(record)

    def add(self, record: TrialRecord) -> None:
        """Add a trial that has finished."""
        trial = record.trial
        self._trials[trial.number] = trial
        if trial.state is TrialState.FAILED:
            self._failed.append(trial)
        elif trial.mse is not None:
            self._objectives[trial.number] = trial.mse
            self._fold_mses[trial.number] = record.fold_mses
            self._best = [each for _, each in rank_trials([*self._best, trial])[:MODELS_TO_KEEP]]
        while self._unfinished in self._trials:
            self._unfinished += 1

    def get(self, number: int) -> Trial | None:
        """Return a finished trial, or None."""
        return self._trials.get(number)

    @property
    def trials(self) -> Collection[Trial]:
        """The finished trials."""
        return self._trials.values()

    @property
    def failed(self) -> Collection[Trial]:
        """The failed trials."""
        return self._failed

    @property
    def best(self) -> Collection[Trial]:
        """The best trials, whose models are kept; the best one is the first."""
        return self._best

    @property
    def objectives(self) -> Mapping[int, float]:
        """The objectives by trial number; those of pruned trials are estimates."""
        return self._objectives

    def may_suggest(self, number: int) -> bool:
        """Return True if all trials that suggestion `number` depends on have finished."""
        return number - self._experiment.lag < self._unfinished

    def rival(self, number: int) -> tuple[float, ...] | None:
        """Return the fold MSEs of the trial that trial `number` has to beat.

        Args:
            number: Number of a trial that may be suggested.

        Returns:
            None if there is no such trial, or if an earlier housectl measured it.
        """
        if not self._experiment.prune:
            return None
        while len(self._rivals) <= number:
            self._rivals.append(self._next_rival())
        rival = self._rivals[number]
        return None if rival is None else self._fold_mses[rival] or None

    def _next_rival(self) -> int | None:
        """Return the rival of the next trial: that of the last one, or a newly known one."""
        number, lag = len(self._rivals), self._experiment.lag
        candidates = (number - lag, *self._rivals[-1:])
        known = {
            each: self._objectives[each]
            for each in candidates
            if each is not None and each in self._objectives
        }
        return rival_of(number, known, lag=lag)
