"""What is asked of a cluster before anything is sent to it: a few quick requests."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

from housectl.backends.katib.checks.capacity import require_capacity
from housectl.backends.katib.checks.cluster import check_namespace
from housectl.backends.katib.checks.katib import require_katib
from housectl.backends.katib.checks.katib_config import require_algorithm
from housectl.backends.katib.checks.storage import require_pvc
from housectl.backends.katib.plan.records import PlanRecord
from housectl.errors import CheckWarning
from housectl.experiment import Experiment
from housectl.kube.client import Kube


def preflight(kube: Kube, plan: PlanRecord) -> None:
    """Check what would otherwise show only later, or never.

    Raises:
        ClusterError: Something is missing.
    """
    for ask in _questions(kube, plan):
        with suppress(CheckWarning):
            ask()


def _questions(kube: Kube, plan: PlanRecord) -> Iterator[Callable[[], object]]:
    """Yield what is asked, one request each."""
    yield partial(require_katib, kube)
    yield partial(check_namespace, kube)
    yield partial(require_pvc, kube, plan.settings.pvc)
    if isinstance(plan.workload, Experiment):
        yield partial(require_algorithm, kube, plan.settings.algorithm)
    yield partial(require_capacity, kube, plan)
