"""Submission of an experiment or a task: its inputs and its run directory."""

import shutil
import time
from pathlib import Path

from housectl.backends.base import Task, Workload
from housectl.backends.local.records import LocalPlanRecord
from housectl.backends.local.run_directory import JOURNAL_FILE, PLAN_FILE, RunDirectory, inputs_root
from housectl.backends.messages import already_exists_error
from housectl.contract.files import atomic_directory, write_and_sync
from housectl.contract.inputs import Inputs
from housectl.experiment import Experiment


def inputs_of_runs(runs: Path, inputs: Inputs) -> Inputs:
    """Return inputs at the place where the runs in `runs` find them."""
    return Inputs(path=inputs_root(runs) / inputs.digest, shared=inputs.shared)


def copy_inputs(runs: Path, inputs: Inputs) -> None:
    """Copy inputs to the place where the runs in `runs` find them, unless they are there.

    Raises:
        LocalEnvironmentError: The disk is full, read-only or not writable.
    """
    path = inputs_of_runs(runs, inputs).path
    if not path.exists():
        with atomic_directory(path) as directory:
            shutil.copytree(inputs.path, directory, dirs_exist_ok=True)


def create_run(
    path: Path, workload: Workload, *, inputs: str, python: str | None = None
) -> RunDirectory:
    """Create a run directory atomically.

    Args:
        path: Directory to create.
        workload: Experiment or task to run.
        inputs: Digest of its inputs, which are in the inputs root.
        python: Path of the Python that runs the trainer; None for housectl's own.

    Raises:
        AlreadyExistsError: The directory already exists.
        LocalEnvironmentError: The disk is full, read-only or not writable.
    """
    plan = LocalPlanRecord(
        inputs=inputs,
        submitted=time.time(),
        python=python,
        experiment=workload if isinstance(workload, Experiment) else None,
        task=workload if isinstance(workload, Task) else None,
    )
    run = RunDirectory(path)
    if not path.exists():
        with atomic_directory(path) as directory:
            write_and_sync(directory / PLAN_FILE, plan.to_json())
            for name in ("outputs", "logs"):
                (directory / name).mkdir()
            for name in ("lock", JOURNAL_FILE):
                (directory / name).touch()
        # Another command may have created the directory first.
        if run.plan() == plan:
            return run
    raise already_exists_error(path.name)
