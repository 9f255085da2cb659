"""Checks for searches on this machine."""

import os
from collections.abc import Sequence
from functools import partial

from housectl.backends.doctor_check import Check, CheckContext, CheckWarning
from housectl.backends.local.preflight import check_libraries
from housectl.contract.families import Family


def doctor_checks(context: CheckContext) -> Sequence[Check]:
    """Return the checks of the training libraries and of the cores."""
    return (
        Check("training libraries", check_training_libraries),
        Check("cores", partial(check_cores, context)),
    )


def check_training_libraries() -> str:
    """Check that the libraries of all model families are installed."""
    check_libraries()
    return f"the libraries of {', '.join(Family)} are installed"


def check_cores(context: CheckContext) -> str:
    """Warn if the project has more workers than the machine has cores."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    workers = context.project.workers
    if workers > cores:
        raise CheckWarning(
            f"{workers} workers share {cores} cores: trials take longer, and may time out.",
            hint=f"housectl tune --workers {cores}",
        )
    return f"{workers} workers on {cores} cores"
