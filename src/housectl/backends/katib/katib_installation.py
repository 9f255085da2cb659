"""Names of Katib's own installation, and kubectl commands for it."""

from housectl.kube.kubectl import KubectlTarget

KATIB_NAMESPACE = "kubeflow"
CONFIG_MAP = "katib-config"
COMPONENT_LABEL = "katib.kubeflow.org/component"
CONTROLLER, DATABASE_MANAGER = "controller", "db-manager"
# Katib's webhook adds its collector to pods only in namespaces with this label.
INJECTION_LABEL, INJECTED = "katib.kubeflow.org/metrics-collector-injection", "enabled"
# The webhook's names for the collector: for collected metrics, and for pushed ones.
COLLECTORS = ("metrics-logger-and-collector", "metrics-collector")


def webhook_pods_command(target: KubectlTarget) -> str:
    """Return the command that lists the pods of Katib's controller, which is also its webhook."""
    return _pods_command(target, CONTROLLER)


def database_pods_command(target: KubectlTarget) -> str:
    """Return the command that lists the pods of Katib's database manager."""
    return _pods_command(target, DATABASE_MANAGER)


def config_command(target: KubectlTarget, verb: str = "edit") -> str:
    """Return the command that edits Katib's configuration, or applies another kubectl verb."""
    return target.cluster_kubectl(f"{verb} configmap {CONFIG_MAP} -n {KATIB_NAMESPACE}")


def _pods_command(target: KubectlTarget, component: str) -> str:
    selector = f"{COMPONENT_LABEL}={component}"
    return target.cluster_kubectl(f"get pods -n {KATIB_NAMESPACE} -l {selector}")
