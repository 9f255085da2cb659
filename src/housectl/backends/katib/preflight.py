"""What a cluster must have before anything is sent to it."""

from housectl.backends.katib.records import PlanRecord
from housectl.backends.kube.client import Kube


def preflight(kube: Kube, plan: PlanRecord) -> None:
    """Check what would otherwise show only later.

    Raises:
        ClusterError: Something is missing.
    """
