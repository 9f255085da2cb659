"""Checks of the cluster, for searches on Katib."""

import secrets
from collections.abc import Sequence
from functools import partial

from housectl.backends.doctor_check import Check, CheckContext
from housectl.backends.katib.checks.capacity import check_capacity
from housectl.backends.katib.checks.cluster import (
    check_api_server,
    check_namespace,
    check_permissions,
)
from housectl.backends.katib.checks.components import check_controller, check_database
from housectl.backends.katib.checks.katib import check_admission, check_katib
from housectl.backends.katib.checks.katib_config import check_algorithm
from housectl.backends.katib.checks.leftovers import check_leftovers
from housectl.backends.katib.checks.pods import check_collector_image, check_image
from housectl.backends.katib.checks.pvc import check_pvc
from housectl.backends.katib.checks.service import check_service
from housectl.backends.katib.factory import create_backend
from housectl.backends.katib.katib_client import katib_client
from housectl.backends.katib.plan.katib_plan import KatibPlan
from housectl.backends.katib.volume.pods import VolumePods
from housectl.search.katib_texts import ALGORITHM


def doctor_checks(context: CheckContext) -> Sequence[Check]:
    """Return the checks in the order in which doctor runs them."""
    settings = context.project.katib
    kube = katib_client(settings.context, settings.namespace)

    def capacity() -> str:
        return check_capacity(kube, _plan(context).record)

    def search() -> str:
        return check_admission(kube, _plan(context))

    def pods() -> VolumePods:
        return VolumePods(kube=kube, pvc=settings.pvc, image=_plan(context).image)

    def image() -> str:
        return check_image(pods())

    def collector() -> str:
        return check_collector_image(pods())

    def service() -> str:
        return check_service(pods())

    def leftovers() -> str:
        return check_leftovers(pods())

    own_service = (
        [Check("service", service, needs=("image",))] if settings.algorithm == ALGORITHM else []
    )
    return (
        Check("cluster", partial(check_api_server, kube)),
        Check("permissions", partial(check_permissions, kube), needs=("cluster",)),
        Check("katib", partial(check_katib, kube), needs=("cluster",)),
        Check("controller", partial(check_controller, kube), needs=("katib",)),
        Check("database", partial(check_database, kube), needs=("katib",)),
        Check("namespace", partial(check_namespace, kube), needs=("cluster",)),
        Check("pvc", partial(check_pvc, kube, settings.pvc), needs=("namespace",)),
        Check("algorithm", partial(check_algorithm, kube, settings.algorithm), needs=("katib",)),
        Check("capacity", capacity, needs=("data", "cluster")),
        Check(
            "search", search, needs=("data", "permissions", "namespace", "database", "algorithm")
        ),
        Check("image", image, needs=("search", "pvc")),
        Check("collector", collector, needs=("image",)),
        *own_service,
        Check("leftovers", leftovers, needs=("image",)),
    )


def _plan(context: CheckContext) -> KatibPlan:
    """Return the plan of a search under an unused name."""
    backend = create_backend(lambda: context.project, context.workspace)
    experiment = context.project.experiment(f"doctor-{secrets.token_hex(3)}")
    return backend.plan(experiment, inputs=context.inputs(), image=None)
