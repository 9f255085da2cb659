"""Starting and stopping a run's supervisor, from any process."""

import os
import signal
import sys
import time
from contextlib import suppress
from subprocess import STDOUT, Popen
from threading import Thread

from housectl.backends.local.records import RunOutcome
from housectl.backends.local.run_directory import RunDirectory
from housectl.backends.messages import STOPPED
from housectl.experiment import ExperimentState
from housectl.python_process import child_environment, module_argv

_SUPERVISOR_MODULE = "housectl.backends.local.supervisor"
_POLL_INTERVAL_SECONDS = 0.02


def start_supervisor(run: RunDirectory) -> None:
    """Start a supervisor, unless one is running or the run is finished."""
    # A supervisor that has recorded the outcome is about to release the lock.
    while run.outcome() is not None and run.lock.held:
        time.sleep(_POLL_INTERVAL_SECONDS)
    with run.lock.acquired() as lock:
        if lock is None or not run.unfinished:
            return
        run.reopen()
        with run.supervisor_log.open("wb") as log:
            process = Popen(
                (sys.executable, *module_argv(_SUPERVISOR_MODULE, str(run.path))),
                env=child_environment(),
                stdin=lock,
                stdout=log,
                stderr=STDOUT,
                start_new_session=True,
            )
        lock.write(f"{process.pid}\n".encode())
    # The supervisor outlives this process. If it ends earlier, wait() prevents a zombie process.
    Thread(target=process.wait, daemon=True).start()


def stop_supervisor(run: RunDirectory) -> None:
    """Stop the supervisor and its processes, and record that the run was stopped. Idempotent."""
    signalled_pid = None
    while run.lock.held:
        holder = run.lock.holder
        if holder not in {None, signalled_pid} and run.outcome() is None:
            signalled_pid = holder
            _terminate(holder)
        time.sleep(_POLL_INTERVAL_SECONDS)
    with run.lock.acquired() as lock:
        if lock is not None and run.interrupted:
            state = ExperimentState.STOPPED
            run.record_outcome(RunOutcome(state=state, reason=STOPPED, finished=time.time()))


def _terminate(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
