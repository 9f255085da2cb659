"""Handles of the local backend: URLs of run directories."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from housectl.backends.base import Handle
from housectl.backends.local.run_directory import RunDirectory
from housectl.backends.messages import unknown_experiment_error

SCHEME = "local://"


def handle_of(run: RunDirectory) -> Handle:
    """Return the handle of a run."""
    return Handle(f"{SCHEME}{quote(os.fsencode(run.path))}")


def run_directory(handle: Handle) -> RunDirectory:
    """Return the run directory of a handle; it need not exist."""
    return RunDirectory(Path(os.fsdecode(unquote_to_bytes(handle.url.removeprefix(SCHEME)))))


@contextmanager
def open_run(handle: Handle) -> Iterator[RunDirectory]:
    """Yield a run; it also counts as unknown if another command deletes it in the block.

    Raises:
        UnknownExperimentError: There is no such run.
    """
    run = run_directory(handle)
    if run.exists:
        try:
            yield run
        except FileNotFoundError:
            if run.exists:
                raise
        else:
            return
    raise unknown_experiment_error(handle.name)
