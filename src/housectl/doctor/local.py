"""Checks for searches on this machine."""

import os
from collections.abc import Sequence
from functools import partial

from housectl.backends.local.preflight import check_libraries
from housectl.doctor.check import Check, CheckContext
from housectl.errors import CheckWarning


def checks(patient: CheckContext) -> Sequence[Check]:
    """Return the checks."""
    return (
        Check("training libraries", check_training),
        Check("cores", partial(check_cores, patient)),
    )


def check_training() -> str:
    """What the local backend trains with."""
    check_libraries()
    return "the training libraries are installed"


def check_cores(patient: CheckContext) -> str:
    """Whether the workers have a core each."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    workers = patient.project.workers
    if workers > cores:
        raise CheckWarning(
            f"{workers} workers share {cores} cores: trials take longer, and may time out.",
            hint=f"housectl tune --workers {cores}",
        )
    return f"{workers} workers on {cores} cores"
