"""The supervisor: does what a run directory's plan says, and all of the writing in it.

It is started with the run directory's lock, held, as its standard input, so that there is no moment
at which the work runs and the lock is free.
"""

import signal
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from housectl.backends.base import Task
from housectl.backends.local.experiment_runner import ExperimentRunner
from housectl.backends.local.plan import task_arguments
from housectl.backends.local.records import RunOutcome
from housectl.backends.local.run_directory import RunDirectory
from housectl.backends.local.trainer_process import run_task
from housectl.backends.local.workers import Workers
from housectl.backends.messages import STOPPED
from housectl.contract.files import translate_disk_errors
from housectl.errors import HousectlError, LocalEnvironmentError, TaskFailedError
from housectl.experiment import Experiment, ExperimentState


def main() -> None:
    """Run the work of the directory that the command line names, and record its outcome.

    A signal to stop arrives as KeyboardInterrupt, until there is an outcome to record. A search
    then still gives the best trials their models, which takes about two seconds.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    run = RunDirectory(Path(sys.argv[1]))
    outcome = _outcome(run)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    try:
        run.record_outcome(outcome)
    except LocalEnvironmentError as error:
        sys.exit(f"error: {error.message}")


def _outcome(run: RunDirectory) -> RunOutcome:
    try:
        with translate_disk_errors(run.path):
            return _work(run)
    except KeyboardInterrupt:
        state, reason = ExperimentState.STOPPED, STOPPED
    except TaskFailedError as error:
        state, reason = ExperimentState.FAILED, error.message
    except HousectlError as error:
        state, reason = ExperimentState.INTERRUPTED, error.message
    return RunOutcome(state=state, reason=reason, finished=time.time())


def _work(run: RunDirectory) -> RunOutcome:
    work = run.plan().workload
    if isinstance(work, Task):
        return _do_task(run, work)
    try:
        return _search(run, work)
    except KeyboardInterrupt:
        # No more trials, but models for the best of those that there are, unless told again.
        _search(run, replace(work, budget=replace(work.budget, trials=0)))
        raise


def _search(run: RunDirectory, experiment: Experiment) -> RunOutcome:
    with closing(Workers(run, run.inputs())) as workers:
        return ExperimentRunner(run, experiment, workers).run()


def _do_task(run: RunDirectory, task: Task) -> RunOutcome:
    run.remove_leftovers()
    arguments = task_arguments(task, inputs=str(run.inputs()), output=str(run.output(None)))
    run_task(arguments, run.log(None))
    return RunOutcome(state=ExperimentState.SUCCEEDED, finished=time.time())


if __name__ == "__main__":
    main()
