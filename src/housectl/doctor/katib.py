"""Checks of the cluster, for searches on Katib."""

import secrets
from collections.abc import Sequence
from functools import partial

from housectl.backends.factory import katib_backend
from housectl.backends.katib.checks.capacity import check_capacity
from housectl.backends.katib.checks.cluster import check_namespace, check_permissions, check_server
from housectl.backends.katib.checks.katib import check_admission, check_database, check_katib
from housectl.backends.katib.checks.katib_config import check_algorithm
from housectl.backends.katib.checks.pods import check_collector, check_image
from housectl.backends.katib.checks.storage import check_pvc
from housectl.backends.katib.plan.katib_plan import KatibPlan
from housectl.backends.katib.volume.pods import VolumePods
from housectl.doctor.check import Check, CheckContext
from housectl.kube.client import Kube


def checks(patient: CheckContext) -> Sequence[Check]:
    """Return the checks, the cluster's own first."""
    said = patient.project.katib
    kube = Kube(said.context, said.namespace)

    def room() -> str:
        return check_capacity(kube, _plan(patient).record)

    def search() -> str:
        return check_admission(kube, _plan(patient))

    def pods() -> VolumePods:
        return VolumePods(kube=kube, pvc=said.pvc, image=_plan(patient).image)

    def image() -> str:
        return check_image(pods())

    def collector() -> str:
        return check_collector(pods())

    return (
        Check("cluster", partial(check_server, kube)),
        Check("permissions", partial(check_permissions, kube), needs=("cluster",)),
        Check("Katib", partial(check_katib, kube), needs=("cluster",)),
        Check("database", partial(check_database, kube), needs=("Katib",)),
        Check("namespace", partial(check_namespace, kube), needs=("cluster",)),
        Check("pvc", partial(check_pvc, kube, said.pvc), needs=("namespace",)),
        Check("algorithm", partial(check_algorithm, kube, said.algorithm), needs=("Katib",)),
        Check("capacity", room, needs=("data", "cluster")),
        Check(
            "search", search, needs=("data", "permissions", "namespace", "database", "algorithm")
        ),
        Check("image", image, needs=("search", "pvc")),
        Check("collector", collector, needs=("image",)),
    )


def _plan(patient: CheckContext) -> KatibPlan:
    """Return what a search would send, under a name that nothing has."""
    backend = katib_backend(patient.project, patient.workspace)
    experiment = patient.project.experiment(f"doctor-{secrets.token_hex(3)}")
    return backend.plan(experiment, inputs=patient.inputs(), image=None)
