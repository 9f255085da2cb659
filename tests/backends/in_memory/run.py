"""Runs of the in-memory backend.

The trainer's own programs run as subprocesses, one at a time; their outputs are read into memory.
Limits of trials are ignored.
"""

import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, Popen
from tempfile import TemporaryDirectory
from threading import Condition, Thread

from housectl.backends.base import Snapshot, Task, Workload
from housectl.backends.local.stopping_rules import (
    outcome_of,
    time_limit_reached,
    too_many_failures,
)
from housectl.backends.messages import (
    STOPPED,
)
from housectl.backends.trainer_argv import task_argv, trainer_argv
from housectl.contract.inputs import Inputs
from housectl.contract.metrics import METRICS_FILE, Metrics
from housectl.contract.parameters import Assignment, Value
from housectl.experiment import (
    Experiment,
    ExperimentState,
    Parameter,
    ParameterKind,
    Trial,
    TrialState,
    seconds_used,
)

Files = Mapping[Path, bytes]


@dataclass(frozen=True, kw_only=True)
class InMemoryPlan:
    """The plan of a run; its text is the representation of its workload."""

    workload: Workload
    inputs: Inputs
    image: str | None

    def __str__(self) -> str:
        return f"{self.workload}\n"


class _StopRequestedError(Exception):
    """The run was asked to stop."""


class Run:
    """One experiment or task, and the thread that runs it."""

    def __init__(self, plan: InMemoryPlan) -> None:
        self.plan = plan
        self.changed = Condition()
        self.state = ExperimentState.CREATED
        self.outputs: dict[str | None, Files] = {}
        self.logs: dict[str | None, list[str]] = {}
        self._trials: dict[int, Trial] = {}
        self._started = time.time()
        self._finished: float | None = None
        self._reason: str | None = None
        self._stop_requested = False
        self._process: Popen[str] | None = None
        self._thread: Thread | None = None

    def snapshot(self) -> Snapshot:
        with self.changed:
            return Snapshot(
                state=self.state,
                trials=tuple(self._trials.values()),
                reason=self._reason,
                started=self._started,
                finished=self._finished,
            )

    def start(self) -> None:
        self._stop_requested = False
        self._set_state(ExperimentState.RUNNING, None)
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with self.changed:
            self._stop_requested = True
            if self._process is not None:
                self._process.kill()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        workload = self.plan.workload
        try:
            if isinstance(workload, Task):
                self._run_task(workload)
            else:
                self._run_experiment(workload)
        except _StopRequestedError:
            self._trials = {trial.number: trial for trial in self._finished_trials()}
            self._set_state(ExperimentState.STOPPED, STOPPED)

    def _set_state(self, state: ExperimentState, reason: str | None) -> None:
        with self.changed:
            self.state, self._reason = state, reason
            self._finished = time.time() if state.ended else None
            self.changed.notify_all()

    def _run_task(self, task: Task) -> None:
        cause = self._train(
            None,
            lambda output: task_argv(
                task, inputs=str(self.plan.inputs.path), output=output, backend="memory"
            ),
        )
        state = ExperimentState.FAILED if cause else ExperimentState.SUCCEEDED
        self._set_state(state, cause)

    def _run_experiment(self, experiment: Experiment) -> None:
        budget = experiment.budget
        for number in range(budget.trials):
            trials = self._finished_trials()
            if too_many_failures(budget, trials) or time_limit_reached(
                budget, used=seconds_used(trials, now=time.time())
            ):
                break
            if number not in self._trials:
                self._run_trial(experiment, number)
        outcome = outcome_of(budget, self._finished_trials(), now=time.time())
        self._set_state(outcome.state, outcome.reason)

    def _run_trial(self, experiment: Experiment, number: int) -> None:
        trial = Trial(
            number=number,
            name=f"trial-{number}",
            family=experiment.family_at_turn(number),
            assignment=_random_assignment(experiment, number),
            state=TrialState.RUNNING,
            started=time.time(),
        )
        self._set_trial(trial)
        options = (("--inputs", str(self.plan.inputs.path)), ("--family", trial.family))
        cause = self._train(
            trial.name,
            lambda output: trainer_argv(
                "trial", [*options, ("--output", output)], trial.assignment
            ),
        )
        self._set_trial(
            replace(
                trial,
                state=TrialState.FAILED if cause else TrialState.SUCCEEDED,
                mse=None if cause else self._mse(trial.name),
                cause=cause,
                finished=time.time(),
            )
        )

    def _set_trial(self, trial: Trial) -> None:
        with self.changed:
            self._trials[trial.number] = trial
            self.changed.notify_all()

    def _finished_trials(self) -> list[Trial]:
        return [trial for trial in self._trials.values() if trial.state is not TrialState.RUNNING]

    def _mse(self, trial: str) -> float:
        return Metrics.from_json(self.outputs[trial][Path(METRICS_FILE)]).mse

    def _train(self, name: str | None, argv: Callable[[str], list[str]]) -> str | None:
        """Run the trainer; return the cause of its failure, or None."""
        lines = self.logs[name] = []
        with TemporaryDirectory() as directory:
            output = Path(directory) / "output"
            process = self._start_trainer(argv(str(output)))
            with process:
                assert process.stdout is not None
                lines.extend(line.rstrip("\n") for line in process.stdout)
            if self._stop_requested:
                raise _StopRequestedError
            if process.returncode:
                return lines[-1].removeprefix("error: ") if lines else "no output"
            self.outputs[name] = _read_files(output)
        return None

    def _start_trainer(self, arguments: Sequence[str]) -> "Popen[str]":
        with self.changed:
            if self._stop_requested:
                raise _StopRequestedError
            self._process = Popen(
                (sys.executable, *arguments),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                text=True,
            )
            return self._process


def _read_files(directory: Path) -> Files:
    return {
        path.relative_to(directory): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def _random_assignment(experiment: Experiment, number: int) -> Assignment:
    """Return the same random assignment for the same seed and number."""
    space = experiment.spaces[experiment.family_at_turn(number)]
    rng = random.Random(f"{experiment.seed} {number}")
    sampled = {parameter.name: _random_value(parameter, rng) for parameter in space.parameters}
    return {**space.fixed, **sampled}


def _random_value(parameter: Parameter, rng: random.Random) -> Value:
    if parameter.minimum is None or parameter.maximum is None:
        return rng.choice(parameter.choices)
    if parameter.kind is ParameterKind.INT:
        return rng.randint(int(parameter.minimum), int(parameter.maximum))
    return rng.uniform(parameter.minimum, parameter.maximum)
