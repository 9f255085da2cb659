"""Runs an experiment on this machine: keeps the workers busy and records their results."""

import time
from dataclasses import replace

from housectl.backends.local.records import RunOutcome
from housectl.backends.local.restarting_pool import RestartingPool
from housectl.backends.local.run_directory import RunDirectory
from housectl.backends.local.stopping_rules import outcome_of, time_limit_reached, too_many_failures
from housectl.contract.disks import describe_if_full
from housectl.contract.parameters import Assignment
from housectl.contract.pool_protocol import Step, TrialRequest, TrialResult
from housectl.errors import LocalEnvironmentError
from housectl.experiment import MODELS_TO_KEEP, Experiment, Trial, TrialState, rank_trials
from housectl.search.sampler import missing_result, suggest


class ExperimentRunner:
    """Continues one experiment from the state in its run directory to its end.

    Args:
        run: The run directory, whose lock this process holds.
        experiment: The submitted experiment.
        workers: They train the models.
    """

    def __init__(self, run: RunDirectory, experiment: Experiment, workers: RestartingPool) -> None:
        self._run = run
        self._experiment = experiment
        self._workers = workers
        self._finished = {trial.number: trial for trial in run.finished_trials()}
        self._running: dict[int, Trial] = {}
        self._fitted: set[int] = set()
        self._assignments: list[Assignment] = []

    def run(self) -> RunOutcome:
        """Run trials until the search has ended, and fit the best models; return the outcome.

        Raises:
            TaskFailedError: The trainer rejected its inputs.
            LocalEnvironmentError: The pool crashes repeatedly, or a file cannot be written.
        """
        self._dispatch()
        while self._workers.busy:
            self._suggest_ahead()
            result = self._workers.next_result()
            trial = self._running.pop(result.number, None)
            if result.cause:
                self._check_disk()
            if trial is None:
                self._dispatch()
            else:
                self._record_finished(_finished_trial(trial, result))
        self._remove_other_models()
        return outcome_of(self._experiment.budget, self._finished.values(), now=time.time())

    def _check_disk(self) -> None:
        """Check that the disk is not full; otherwise each trial would fail because of it."""
        if full := describe_if_full(self._run.path):
            raise LocalEnvironmentError(
                f"The search cannot write its files: {full}.",
                hint=f"housectl tune --resume {self._run.name}   # after freeing space",
            )

    def _record_finished(self, trial: Trial) -> None:
        self._finished[trial.number] = trial
        # A worker waits for its next trial, so dispatch comes before the slow, durable record.
        self._dispatch()
        self._run.record_end(trial)

    def _dispatch(self) -> None:
        """Give each free worker a trial or, if no trials are left, a model to fit."""
        while self._workers.busy < self._experiment.workers:
            number = self._next_number()
            if self._may_start(number):
                self._start(number)
            elif not self._within_budget(number) and (trial := self._next_trial_to_fit()):
                self._fitted.add(trial.number)
                self._submit(trial, Step.FIT)
            else:
                return

    def _next_number(self) -> int:
        """Return the lowest number without a finished or running trial."""
        taken = self._finished.keys() | self._running.keys()
        return next(number for number in range(len(taken) + 1) if number not in taken)

    def _may_start(self, number: int) -> bool:
        lag = self._experiment.lag
        return (
            self._within_budget(number) and missing_result(number, self._finished, lag=lag) is None
        )

    def _within_budget(self, number: int) -> bool:
        budget = self._experiment.budget
        return (
            number < budget.trials
            and not too_many_failures(budget, self._finished.values())
            and not time_limit_reached(budget, self._trials(), now=time.time())
        )

    def _trials(self) -> list[Trial]:
        return [*self._finished.values(), *self._running.values()]

    def _start(self, number: int) -> None:
        trial = Trial(
            number=number,
            name=f"{number:04}",
            family=self._experiment.family_at_turn(number),
            assignment=self._assignment(number),
            state=TrialState.RUNNING,
            started=time.time(),
        )
        self._running[number] = trial
        self._run.delete_output(trial.name)
        self._submit(trial, Step.MEASURE)
        self._run.record_start(trial)

    def _submit(self, trial: Trial, step: Step) -> None:
        self._workers.submit(
            TrialRequest(
                number=trial.number,
                step=step,
                family=trial.family,
                assignment=dict(trial.assignment),
                output=str(self._run.output(trial.name)),
                log=str(self._run.log(trial.name)),
                seconds=self._experiment.limits.seconds,
                memory=self._experiment.limits.memory,
            )
        )

    def _next_trial_to_fit(self) -> Trial | None:
        """Return one of the best trials without a model, or None.

        Each is fitted once: if fitting fails here, sealing fails too and reports the cause.
        """
        return next(
            (
                trial
                for trial in self._best_trials()
                if trial.number not in self._fitted and self._run.missing_model(trial)
            ),
            None,
        )

    def _best_trials(self) -> list[Trial]:
        return [trial for _, trial in rank_trials(self._finished.values())[:MODELS_TO_KEEP]]

    def _remove_other_models(self) -> None:
        """Remove the models of all other trials than the best."""
        best_trials = self._best_trials()
        for trial in self._finished.values():
            if trial not in best_trials:
                self._run.remove_model(trial)

    def _assignment(self, number: int) -> Assignment:
        while len(self._assignments) <= number:
            self._assignments.append(self._next_assignment())
        return self._assignments[number]

    def _next_assignment(self) -> Assignment:
        number = len(self._assignments)
        if number in self._finished:
            return self._finished[number].assignment
        return suggest(
            self._experiment,
            number,
            earlier=self._assignments,
            objectives={trial.number: mse for mse, trial in rank_trials(self._finished.values())},
        )

    def _suggest_ahead(self) -> None:
        """Compute an assignment for each worker that may soon be free."""
        number = self._next_number()
        for ahead in range(number, number + self._experiment.workers):
            if self._may_start(ahead):
                self._assignment(ahead)


def _finished_trial(trial: Trial, result: TrialResult) -> Trial:
    return replace(
        trial,
        state=TrialState.FAILED if result.mse is None else TrialState.SUCCEEDED,
        mse=result.mse,
        cause=result.cause,
        finished=time.time(),
    )
