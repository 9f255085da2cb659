"""Checks for searches on this machine."""

from collections.abc import Sequence
from functools import partial

from housectl.backends.doctor_check import Check, CheckContext
from housectl.backends.local.preflight import check_libraries, workers_note
from housectl.contract.families import Family
from housectl.cores import usable_cores


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
    """Return the number of trials that run at the same time."""
    workers, cores = context.project.parallel_trials, usable_cores()
    return workers_note(workers, cores) or f"{workers} workers on {cores} cores"
