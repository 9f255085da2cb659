"""Katib's own installation, and the commands that look at it."""

from housectl.diagnosis.cause import Place

KATIB_NAMESPACE = "kubeflow"


def webhook_pods(place: Place) -> str:
    """Return the command that lists the pods of Katib's webhook, which is its controller."""
    return _pods(place, "controller")


def database_pods(place: Place) -> str:
    """Return the command that lists the pods of what keeps metrics."""
    return _pods(place, "db-manager")


def configuration(place: Place) -> str:
    """Return the command that edits Katib's configuration."""
    return place.cluster_kubectl(f"edit configmap katib-config -n {KATIB_NAMESPACE}")


def _pods(place: Place, component: str) -> str:
    selector = f"katib.kubeflow.org/component={component}"
    return place.cluster_kubectl(f"get pods -n {KATIB_NAMESPACE} -l {selector}")
