"""The supervisor process: runs the plan of a run directory, and is its only writer.

It inherits the run directory's held lock as its standard input, so the lock is never free while the
workload runs.
"""

import signal
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from housectl.backends.base import Task
from housectl.backends.local.experiment_runner import ExperimentRunner
from housectl.backends.local.plan import pool_arguments, task_arguments
from housectl.backends.local.records import RunOutcome
from housectl.backends.local.restarting_pool import RestartingPool
from housectl.backends.local.run_directory import RunDirectory
from housectl.backends.local.trainer_client import run_task
from housectl.backends.messages import STOPPED
from housectl.contract.files import translate_disk_errors
from housectl.cores import usable_cores
from housectl.errors import HousectlError, LocalEnvironmentError, TaskFailedError
from housectl.experiment import Experiment, ExperimentState


def main() -> None:
    """Run the workload of the run directory in `sys.argv`, and record its outcome.

    Until there is an outcome to record, a signal to stop raises KeyboardInterrupt. A stopped search
    still fits the best models, which takes about two seconds.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    run = RunDirectory(Path(sys.argv[1]))
    outcome = _run_to_outcome(run)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    try:
        run.record_outcome(outcome)
    except LocalEnvironmentError as error:
        sys.exit(f"error: {error.message}")


def _run_to_outcome(run: RunDirectory) -> RunOutcome:
    try:
        with translate_disk_errors(run.path):
            return _run_workload(run)
    except KeyboardInterrupt:
        state, reason = ExperimentState.STOPPED, STOPPED
    except TaskFailedError as error:
        state, reason = ExperimentState.FAILED, error.message
    except HousectlError as error:
        state, reason = ExperimentState.INTERRUPTED, error.message
    return RunOutcome(state=state, reason=reason, finished=time.time())


def _run_workload(run: RunDirectory) -> RunOutcome:
    workload = run.plan().workload
    if isinstance(workload, Task):
        return _run_task(run, workload)
    try:
        return _run_experiment(run, workload)
    except KeyboardInterrupt:
        # Start no more trials, but fit the best models, unless a second signal arrives.
        _run_experiment(run, replace(workload, budget=replace(workload.budget, trials=0)))
        raise


def _run_experiment(run: RunDirectory, experiment: Experiment) -> RunOutcome:
    with closing(RestartingPool(run, pool_arguments(str(run.inputs())))) as workers:
        parallel = min(experiment.workers, usable_cores())
        return ExperimentRunner(run, experiment, workers, parallel=parallel).run()


def _run_task(run: RunDirectory, task: Task) -> RunOutcome:
    run.remove_temp_files()
    arguments = task_arguments(task, inputs=str(run.inputs()), output=str(run.output(None)))
    run_task(arguments, run.log(None), python=run.plan().python)
    return RunOutcome(state=ExperimentState.SUCCEEDED, finished=time.time())


if __name__ == "__main__":
    main()
