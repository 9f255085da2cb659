"""The supervisor: does what a run directory's plan says, and all of the writing in it.

It is started with the run directory's lock, held, as its standard input, so that there is no moment
at which the work runs and the lock is free.
"""

import signal
import sys
import time
from pathlib import Path

from housectl.backends.base import Task
from housectl.backends.local.plan import task_arguments
from housectl.backends.local.records import Outcome
from housectl.backends.local.run import Run, remove_tree
from housectl.backends.local.search import Search
from housectl.backends.local.trainer import do_task
from housectl.contract.files import disk_errors_explained, remove_leftovers
from housectl.errors import HousectlError, MachineError, TaskFailedError
from housectl.experiment import ExperimentState


def main() -> None:
    """Run the work of the directory that the command line names, and record its outcome.

    A signal to stop arrives as KeyboardInterrupt, until there is an outcome to record.
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
        state, reason = ExperimentState.STOPPED, "It was stopped."
    except TaskFailedError as error:
        state, reason = ExperimentState.FAILED, error.message
    except HousectlError as error:
        state, reason = ExperimentState.INTERRUPTED, error.message
    return Outcome(state=state, reason=reason, finished=time.time())


def _work(run: Run) -> Outcome:
    plan = run.plan()
    inputs = run.inputs()
    remove_leftovers(run.path)
    if not isinstance(plan.work, Task):
        remove_leftovers(run.trials_directory)
        return Search(run, plan.work, inputs).to_end()
    output = run.output(None)
    remove_tree(output)
    do_task(task_arguments(plan.work, inputs=str(inputs), output=str(output)), run.log(None))
    return Outcome(state=ExperimentState.SUCCEEDED, finished=time.time())


if __name__ == "__main__":
    main()
