"""Checks before each submission: a few quick requests."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

from housectl.backends.doctor_check import CheckWarning
from housectl.backends.katib.checks.capacity import require_capacity
from housectl.backends.katib.checks.cluster import check_namespace
from housectl.backends.katib.checks.components import require_controller, require_database
from housectl.backends.katib.checks.katib import require_katib
from housectl.backends.katib.checks.katib_config import require_algorithm
from housectl.backends.katib.checks.pvc import require_pvc
from housectl.backends.katib.plan.plan_record import KatibPlanRecord
from housectl.experiment import Experiment
from housectl.kube.client import Kube


def preflight(kube: Kube, plan: KatibPlanRecord) -> None:
    """Check the prerequisites whose absence would show late or never.

    Raises:
        ClusterError: A prerequisite is missing.
    """
    for require in _requirements(kube, plan):
        with suppress(CheckWarning):
            require()


def _requirements(kube: Kube, plan: KatibPlanRecord) -> Iterator[Callable[[], object]]:
    """Yield the checks, of a few requests each."""
    yield partial(require_katib, kube)
    yield partial(require_controller, kube)
    yield partial(check_namespace, kube)
    yield partial(require_pvc, kube, plan.settings.pvc)
    if isinstance(plan.workload, Experiment):
        yield partial(require_database, kube)
        yield partial(require_algorithm, kube, plan.settings.algorithm)
    yield partial(require_capacity, kube, plan)
