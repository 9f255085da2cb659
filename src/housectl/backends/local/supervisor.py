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
from housectl.backends.local.experiment_runner import Search
from housectl.backends.local.plan import task_arguments
from housectl.backends.local.records import Outcome
from housectl.backends.local.run_directory import Run
from housectl.backends.local.trainer_process import do_task
from housectl.backends.local.workers import Workers
from housectl.backends.messages import STOPPED
from housectl.contract.files import disk_errors_explained
from housectl.errors import HousectlError, MachineError, TaskFailedError
from housectl.experiment import Experiment, ExperimentState


def main() -> None:
    """Run the work of the directory that the command line names, and record its outcome.

    A signal to stop arrives as KeyboardInterrupt, until there is an outcome to record. A search
    then still gives the best trials their models, which takes about two seconds.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    run = Run(Path(sys.argv[1]))
    outcome = _outcome(run)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    try:
        run.end(outcome)
    except MachineError as error:
        sys.exit(f"error: {error.message}")


def _outcome(run: Run) -> Outcome:
    try:
        with disk_errors_explained(run.path):
            return _work(run)
    except KeyboardInterrupt:
        state, reason = ExperimentState.STOPPED, STOPPED
    except TaskFailedError as error:
        state, reason = ExperimentState.FAILED, error.message
    except HousectlError as error:
        state, reason = ExperimentState.INTERRUPTED, error.message
    return Outcome(state=state, reason=reason, finished=time.time())


def _work(run: Run) -> Outcome:
    work = run.plan().work
    if isinstance(work, Task):
        return _do_task(run, work)
    try:
        return _search(run, work)
    except KeyboardInterrupt:
        # No more trials, but models for the best of those that there are, unless told again.
        _search(run, replace(work, budget=replace(work.budget, trials=0)))
        raise


def _search(run: Run, experiment: Experiment) -> Outcome:
    with closing(Workers(run, run.inputs())) as workers:
        return Search(run, experiment, workers).to_end()


def _do_task(run: Run, task: Task) -> Outcome:
    run.remove_leftovers()
    arguments = task_arguments(task, inputs=str(run.inputs()), output=str(run.output(None)))
    do_task(arguments, run.log(None))
    return Outcome(state=ExperimentState.SUCCEEDED, finished=time.time())


if __name__ == "__main__":
    main()
