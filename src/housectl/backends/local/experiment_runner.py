"""Runs an experiment on this machine: keeps the workers busy and records their results."""

import time
from dataclasses import replace

from housectl.backends.local.finished_trials import FinishedTrials
from housectl.backends.local.records import RunOutcome, TrialRecord
from housectl.backends.local.restarting_pool import RestartingPool
from housectl.backends.local.run_directory import RunDirectory
from housectl.backends.local.stopping_rules import outcome_of, time_limit_reached, too_many_failures
from housectl.contract.disks import describe_if_full
from housectl.contract.parameters import Assignment
from housectl.contract.pool_protocol import Step, TrialRequest, TrialResult
from housectl.errors import LocalEnvironmentError
from housectl.experiment import Experiment, Trial, TrialState, seconds_used
from housectl.search.sampler import suggest


class ExperimentRunner:
    """Continues one experiment from the state in its run directory to its end.

    Args:
        run: The run directory, whose lock this process holds.
        experiment: The submitted experiment.
        workers: They train the models.
        parallel: Number of trials that run at the same time; at most the lag.
    """

    def __init__(
        self,
        run: RunDirectory,
        experiment: Experiment,
        workers: RestartingPool,
        *,
        parallel: int,
    ) -> None:
        self._run = run
        self._experiment = experiment
        self._workers = workers
        self._parallel = parallel
        self._journal = run.journal()
        self._finished = FinishedTrials(experiment, self._journal.finished_records())
        self._running: dict[int, Trial] = {}
        self._next = 0
        self._fitted: set[int] = set()
        self._assignments: list[Assignment] = []
        self._first_start: float | None = None
        self._seconds_before = seconds_used(self._finished.trials, now=time.time())

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
                self._record_finished(_finished_record(trial, result))
        self._remove_other_models()
        return outcome_of(self._experiment.budget, self._finished.trials, now=time.time())

    def _check_disk(self) -> None:
        """Check that the disk is not full; otherwise each trial would fail because of it."""
        if full := describe_if_full(self._run.path):
            raise LocalEnvironmentError(
                f"The search cannot write its files: {full}.",
                hint=f"housectl tune --resume {self._run.name}   # after freeing space",
            )

    def _record_finished(self, record: TrialRecord) -> None:
        self._finished.add(record)
        # A worker waits for its next trial, so dispatch comes before the slow, durable record.
        self._dispatch()
        self._journal.append(record, durable=True)

    def _dispatch(self) -> None:
        """Give each free worker a trial or, if no trials are left, a model to fit."""
        while self._workers.busy < self._parallel:
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
        while self._finished.get(self._next) or self._next in self._running:
            self._next += 1
        return self._next

    def _may_start(self, number: int) -> bool:
        return self._within_budget(number) and self._finished.may_suggest(number)

    def _within_budget(self, number: int) -> bool:
        budget = self._experiment.budget
        return (
            number < budget.trials
            and not too_many_failures(budget, self._finished.failed)
            and not time_limit_reached(budget, used=self._seconds_used())
        )

    def _seconds_used(self) -> float:
        """Return the time since the first trial started, and that before a pause."""
        now = time.time()
        return self._seconds_before + now - (self._first_start or now)

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
        self._first_start = self._first_start or trial.started
        self._run.delete_output(trial.name)
        self._submit(trial, Step.MEASURE)
        # A power cut may lose this record, as it loses the trial.
        self._journal.append(TrialRecord(trial=trial), durable=False)

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
                rival=self._finished.rival(trial.number) if step is Step.MEASURE else None,
            )
        )

    def _next_trial_to_fit(self) -> Trial | None:
        """Return one of the best trials without a model, or None.

        Each is fitted once: if fitting fails here, sealing fails too and reports the cause.
        """
        return next(
            (
                trial
                for trial in self._finished.best
                if trial.number not in self._fitted and self._run.missing_model(trial)
            ),
            None,
        )

    def _remove_other_models(self) -> None:
        """Remove the models of all other trials than the best."""
        for trial in self._finished.trials:
            if trial not in self._finished.best:
                self._run.remove_model(trial)

    def _assignment(self, number: int) -> Assignment:
        while len(self._assignments) <= number:
            self._assignments.append(self._next_assignment())
        return self._assignments[number]

    def _next_assignment(self) -> Assignment:
        number = len(self._assignments)
        if trial := self._finished.get(number):
            return trial.assignment
        return suggest(
            self._experiment,
            number,
            earlier=self._assignments,
            objectives=self._finished.objectives,
        )

    def _suggest_ahead(self) -> None:
        """Compute an assignment for each worker that may soon be free, until one is."""
        number = self._next_number()
        for ahead in range(number, number + self._parallel):
            if self._workers.has_result or not self._may_start(ahead):
                return
            self._assignment(ahead)


def _finished_record(trial: Trial, result: TrialResult) -> TrialRecord:
    return TrialRecord(
        trial=replace(
            trial,
            state=_final_state(result),
            mse=result.mse,
            pruned_after=result.pruned_after,
            cause=result.cause,
            finished=time.time(),
        ),
        fold_mses=result.fold_mses,
    )


def _final_state(result: TrialResult) -> TrialState:
    if result.mse is None:
        return TrialState.FAILED
    return TrialState.SUCCEEDED if result.pruned_after is None else TrialState.PRUNED
