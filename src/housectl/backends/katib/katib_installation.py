"""Names of Katib's own installation, and kubectl commands for it."""

from housectl.kube.kubectl import KubectlTarget

KATIB_NAMESPACE = "kubeflow"
CONFIG_MAP, CONFIG_KEY = "katib-config", "katib-config.yaml"
COMPONENT_LABEL = "katib.kubeflow.org/component"
CONTROLLER, DATABASE_MANAGER = "controller", "db-manager"
# The manager depends on the database server, so the server comes first.
DATABASE_COMPONENTS = ("mysql", "postgres", DATABASE_MANAGER)
# Katib's webhook adds its collector to pods only in namespaces with this label.
INJECTION_LABEL, INJECTED = "katib.kubeflow.org/metrics-collector-injection", "enabled"
# The webhook's names for the collector: for collected metrics, and for pushed ones.
COLLECTORS = ("metrics-logger-and-collector", "metrics-collector")


def deployment_name(component: str) -> str:
    """Return the name of the deployment of one of Katib's components."""
    return f"katib-{component}"


def controller_hint(target: KubectlTarget) -> str:
    """Return the hint for an unavailable controller of Katib, which is also its webhook.

    Args:
        target: The namespace of the experiments.
    """
    if target.namespace == KATIB_NAMESPACE:
        return restart_controller_command(target)
    pods = _pods_command(target, CONTROLLER)
    return f"{pods}   # if it lists none, housectl doctor prints the commands that start one"


def restart_controller_command(target: KubectlTarget) -> str:
    """Return the command that restarts Katib's controller in a namespace with Katib's label.

    The API server rejects a pod of such a namespace while the webhook is down, and the webhook is
    down without a pod of the controller. A restart of the deployment ends its pause after failures.
    """
    deployment = f"deployment {deployment_name(CONTROLLER)} -n {KATIB_NAMESPACE}"
    steps = (
        f"label namespace {KATIB_NAMESPACE} {INJECTION_LABEL}-",
        f"scale {deployment} --replicas=1",
        f"rollout restart {deployment}",
        f"rollout status {deployment}",
    )
    commands = [target.cluster_kubectl(step) for step in steps]
    return " && ".join([*commands, label_command(target, KATIB_NAMESPACE)])


def label_command(target: KubectlTarget, namespace: str) -> str:
    """Return the command that sets Katib's label on a namespace."""
    return target.cluster_kubectl(
        f"label namespace {namespace} {INJECTION_LABEL}={INJECTED} --overwrite"
    )


def database_pods_command(target: KubectlTarget) -> str:
    """Return the command that lists the pods of Katib's database manager."""
    return _pods_command(target, DATABASE_MANAGER)


def config_command(target: KubectlTarget, verb: str = "edit") -> str:
    """Return the command that edits Katib's configuration, or applies another kubectl verb."""
    return target.cluster_kubectl(f"{verb} configmap {CONFIG_MAP} -n {KATIB_NAMESPACE}")


def _pods_command(target: KubectlTarget, component: str) -> str:
    selector = f"{COMPONENT_LABEL}={component}"
    return target.cluster_kubectl(f"get pods -n {KATIB_NAMESPACE} -l {selector}")
