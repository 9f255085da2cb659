"""An experiment on this machine: keeps the workers busy and records what they find."""

import time
from dataclasses import replace
from pathlib import Path

from housectl.backends.local.ending import outcome_of, time_is_up, too_many_failed
from housectl.backends.local.plan import pool_arguments
from housectl.backends.local.records import Outcome
from housectl.backends.local.run import Run, remove_tree
from housectl.backends.local.sampler import may_be_suggested, suggest
from housectl.backends.local.trainer import Pool, PoolDiedError
from housectl.contract.bundle import NATIVE_FILES
from housectl.contract.files import remove_leftovers
from housectl.contract.pooling import TrialAnswer, TrialRequest
from housectl.contract.recipe import Assignment
from housectl.errors import MachineError
from housectl.experiment import KEPT_MODELS, Experiment, Trial, TrialState, ranked

_MAX_DEATHS = 3


class Search:
    """One experiment, from what its run directory has recorded to its end.

    Args:
        run: The run directory, whose lock this process holds.
        experiment: What was submitted.
        inputs: The inputs directory.
    """

    def __init__(self, run: Run, experiment: Experiment, inputs: Path) -> None:
        self._run = run
        self._experiment = experiment
        self._inputs = inputs
        self._finished = {trial.number: trial for trial in run.finished_trials()}
        self._with_model = list(self._finished.values())
        self._running: dict[int, Trial] = {}
        self._assignments: list[Assignment] = []
        self._deaths = 0
        self._pool = self._new_pool()

    def to_end(self) -> Outcome:
        """Run trials until the search has ended, and return how.

        Raises:
            TaskFailedError: The trainer refused its inputs.
            MachineError: The pool dies again and again, or a file cannot be written.
        """
        try:
            self._remove_models()
            self._start_trials()
            while self._running:
                self._suggest_ahead()
                trial = self._next_finished()
                # A worker waits for its next trial, so that comes before the slow, durable record.
                self._start_trials()
                self._run.record(trial)
                self._remove_models()
        finally:
            self._pool.kill()
        return outcome_of(self._experiment.budget, self._finished.values(), now=time.time())

    def _start_trials(self) -> None:
        while len(self._running) < self._experiment.workers:
            number = self._next_number()
            if not self._may_start(number):
                return
            self._start(number)

    def _next_number(self) -> int:
        """Return the lowest number that neither has finished nor runs."""
        taken = self._finished.keys() | self._running.keys()
        return next(number for number in range(len(taken) + 1) if number not in taken)

    def _may_start(self, number: int) -> bool:
        budget = self._experiment.budget
        return (
            number < budget.trials
            and may_be_suggested(number, self._finished)
            and not too_many_failed(budget, self._finished.values())
            and not time_is_up(budget, self._trials(), now=time.time())
        )

    def _trials(self) -> list[Trial]:
        return [*self._finished.values(), *self._running.values()]

    def _start(self, number: int) -> None:
        trial = Trial(
            number=number,
            name=f"{number:04}",
            family=self._experiment.family_of(number),
            assignment=self._assignment(number),
            state=TrialState.RUNNING,
            started=time.time(),
        )
        self._running[number] = trial
        self._send(trial)
        self._run.note_start(trial)

    def _send(self, trial: Trial) -> None:
        output = self._run.output(trial.name)
        remove_tree(output)
        self._pool.send(
            TrialRequest(
                number=trial.number,
                family=trial.family,
                assignment=dict(trial.assignment),
                output=str(output),
                log=str(self._run.log(trial.name)),
                seconds=self._experiment.limits.seconds,
                memory=self._experiment.limits.memory,
                keep_below=self._keep_below(trial.number),
            )
        )

    def _keep_below(self, number: int) -> float | None:
        """Return the objective that a trial must beat for anyone to keep its model.

        Only earlier trials count: of equals the earlier one is better.
        """
        earlier = ranked(trial for trial in self._finished.values() if trial.number < number)
        return earlier[KEPT_MODELS - 1][0] if len(earlier) >= KEPT_MODELS else None

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
            objectives={trial.number: mse for mse, trial in ranked(self._finished.values())},
        )

    def _suggest_ahead(self) -> None:
        """Have an assignment ready for each worker that may soon be free."""
        number = self._next_number()
        for ahead in range(number, number + self._experiment.workers):
            if self._may_start(ahead):
                self._assignment(ahead)

    def _next_finished(self) -> Trial:
        answer = self._answer()
        trial = replace(
            self._running.pop(answer.number),
            state=TrialState.FAILED if answer.mse is None else TrialState.SUCCEEDED,
            mse=answer.mse,
            cause=answer.cause,
            finished=time.time(),
        )
        self._finished[trial.number] = trial
        self._with_model.append(trial)
        return trial

    def _answer(self) -> TrialAnswer:
        while True:
            try:
                answer = self._pool.answer()
            except PoolDiedError as error:
                self._replace_pool(str(error))
            else:
                self._deaths = 0
                return answer

    def _replace_pool(self, manner: str) -> None:
        self._deaths += 1
        if self._deaths == _MAX_DEATHS:
            raise MachineError(
                f"The trainer's pool {manner}, {_MAX_DEATHS} times in a row.",
                hint=f"housectl tune --resume {self._run.name}   # when there is more memory",
            )
        self._pool = self._new_pool()
        for trial in self._running.values():
            self._send(trial)

    def _new_pool(self) -> Pool:
        remove_leftovers(self._run.outputs)
        return Pool(pool_arguments(str(self._inputs)), self._run.log(None))

    def _remove_models(self) -> None:
        """Remove the models of all trials but the best."""
        best_first = [trial for _, trial in ranked(self._with_model)]
        for trial in best_first[KEPT_MODELS:]:
            model = self._run.output(trial.name) / NATIVE_FILES[trial.family]
            model.unlink(missing_ok=True)
        self._with_model = best_first[:KEPT_MODELS]
