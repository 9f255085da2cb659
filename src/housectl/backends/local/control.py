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

_SUPERVISOR = "housectl.backends.local.supervisor"
_PAUSE = 0.02


def start(run: RunDirectory) -> None:
    """Start a supervisor, unless one lives or nothing is left to do."""
    with run.lock.acquired() as lock:
        if lock is None or not run.unfinished:
            return
        run.reopen()
        with run.supervisor_log.open("wb") as log:
            process = Popen(
                (sys.executable, "-P", "-m", _SUPERVISOR, str(run.path)),
                stdin=lock,
                stdout=log,
                stderr=STDOUT,
                start_new_session=True,
            )
        lock.write(f"{process.pid}\n".encode())
    # It outlives this process; should it end before, somebody must take note.
    Thread(target=process.wait, daemon=True).start()


def stop(run: RunDirectory) -> None:
    """End the supervisor and what it started, and record that the run was stopped. Idempotent."""
    signalled = None
    while run.lock.held:
        holder = run.lock.holder
        if holder not in {None, signalled} and run.outcome() is None:
            signalled = holder
            _terminate(holder)
        time.sleep(_PAUSE)
    with run.lock.acquired() as lock:
        if lock is not None and run.interrupted:
            state = ExperimentState.STOPPED
            run.record_outcome(RunOutcome(state=state, reason=STOPPED, finished=time.time()))


def _terminate(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
