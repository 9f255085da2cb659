"""What is asked of a cluster before anything is sent to it: a few quick requests."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

from housectl.backends.katib.readiness.algorithm import require_algorithm
from housectl.backends.katib.readiness.claim import require_claim
from housectl.backends.katib.readiness.katib import require_katib
from housectl.backends.katib.readiness.namespace import check_namespace
from housectl.backends.katib.readiness.room import require_room
from housectl.backends.katib.records import PlanRecord
from housectl.backends.kube.client import Kube
from housectl.errors import Concern
from housectl.experiment import Experiment


def preflight(kube: Kube, plan: PlanRecord) -> None:
    """Check what would otherwise show only later, or never.

    Raises:
        ClusterError: Something is missing.
    """
    for ask in _questions(kube, plan):
        with suppress(Concern):
            ask()


def _questions(kube: Kube, plan: PlanRecord) -> Iterator[Callable[[], object]]:
    """Yield what is asked, one request each."""
    yield partial(require_katib, kube)
    yield partial(check_namespace, kube)
    yield partial(require_claim, kube, plan.settings.claim)
    if isinstance(plan.work, Experiment):
        yield partial(require_algorithm, kube, plan.settings.algorithm)
    yield partial(require_room, kube, plan)
