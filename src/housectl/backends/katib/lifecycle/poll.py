"""Polling for reactions of Katib's controller, which may not run at all."""

import time
from collections.abc import Callable, Sequence

from housectl.backends.doctor_check import CheckWarning
from housectl.backends.katib.checks.cluster import require_label
from housectl.backends.katib.checks.components import require_controller, require_database
from housectl.errors import ClusterError
from housectl.kube.client import Kube

Requirements = Sequence[Callable[[Kube], object]]

_TIMEOUT_SECONDS = 90.0
# A working Katib deletes an experiment within a second, and a component restarts within a few.
_GRACE_SECONDS = 10.0
_POLL_INTERVAL_SECONDS = 0.3
# Katib changes experiments only in a labelled namespace, and asks its database before it deletes a
# trial.
TO_CHANGE: Requirements = (require_label, require_controller)
TO_DELETE: Requirements = (*TO_CHANGE, require_database)


def poll_until(
    kube: Kube, done: Callable[[], bool], *, problem: str, requirements: Requirements
) -> None:
    """Poll until a condition is true.

    Args:
        kube: A client for the namespace of the experiments.
        done: Returns True if the condition is true.
        problem: Start of the error's message, such as `Katib has not deleted boston-1`.
        requirements: Checks of everything without which the condition cannot become true.

    Raises:
        ClusterError: The condition is not true, and a requirement is missing or the time is up.
    """
    started = time.monotonic()
    next_check = started + _GRACE_SECONDS
    while not done():
        now = time.monotonic()
        if now > next_check:
            _check(requirements, kube, problem)
            next_check = now + _GRACE_SECONDS
        if now > started + _TIMEOUT_SECONDS:
            raise ClusterError(
                f"{problem} within {_TIMEOUT_SECONDS:.0f} s.",
                hint="housectl doctor   # checks that Katib's controller runs",
            )
        time.sleep(_POLL_INTERVAL_SECONDS)


def _check(requirements: Requirements, kube: Kube, problem: str) -> None:
    for require in requirements:
        try:
            require(kube)
        except CheckWarning:
            continue
        except ClusterError as error:
            raise ClusterError(f"{problem}. {error.message}", hint=error.hint) from error
