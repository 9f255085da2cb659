"""Katib's own installation: what it is called, and the commands that look at it."""

from housectl.kube.kubectl import KubectlTarget

KATIB_NAMESPACE = "kubeflow"
CONFIG_MAP = "katib-config"
COMPONENT_LABEL = "katib.kubeflow.org/component"
CONTROLLER, DATABASE_MANAGER = "controller", "db-manager"
# What a namespace has where Katib's webhook may put its collector beside trainers.
INJECTION_LABEL, INJECTED = "katib.kubeflow.org/metrics-collector-injection", "enabled"
# What the webhook calls it, for metrics that are collected and for those that are pushed.
COLLECTORS = ("metrics-logger-and-collector", "metrics-collector")


def webhook_pods(place: KubectlTarget) -> str:
    """Return the command that lists the pods of Katib's webhook, which is its controller."""
    return _pods(place, CONTROLLER)


def database_pods(place: KubectlTarget) -> str:
    """Return the command that lists the pods of what keeps metrics."""
    return _pods(place, DATABASE_MANAGER)


def configuration(place: KubectlTarget, verb: str = "edit") -> str:
    """Return the command that edits Katib's configuration, or that does something else with it."""
    return place.cluster_kubectl(f"{verb} configmap {CONFIG_MAP} -n {KATIB_NAMESPACE}")


def _pods(place: KubectlTarget, component: str) -> str:
    selector = f"{COMPONENT_LABEL}={component}"
    return place.cluster_kubectl(f"get pods -n {KATIB_NAMESPACE} -l {selector}")
