"""Checks of Katib's components: the controller and the database, by their deployments."""

from housectl.backends.doctor_check import CheckWarning
from housectl.backends.katib.checks.common import (
    has_katib_label,
    kubectl_target,
    warn_if_forbidden,
)
from housectl.backends.katib.katib_installation import (
    COMPONENT_LABEL,
    CONTROLLER,
    DATABASE_COMPONENTS,
    DATABASE_MANAGER,
    KATIB_NAMESPACE,
    deployment_name,
    restart_controller_command,
)
from housectl.errors import ClusterError, NotFoundError
from housectl.kube.client import Kube
from housectl.kube.kinds import DEPLOYMENTS
from housectl.kube.objects.deployments import Deployment


def require_controller(kube: Kube) -> None:
    """Require Katib's controller, which also serves its webhooks.

    Raises:
        ClusterError: It has no ready pod.
        CheckWarning: Its deployment is in another namespace, or the user may not read it.
    """
    deployment = _expect(kube, CONTROLLER, subject="Katib's controller")
    if deployment.is_ready:
        return
    problem = f"Katib's controller has no ready pod in the namespace {KATIB_NAMESPACE}"
    if deployment.has_pods or not has_katib_label(kube, KATIB_NAMESPACE):
        raise ClusterError(
            f"{problem}: no search can start or continue.",
            hint=_repair_command(kube, CONTROLLER, deployment),
        )
    raise ClusterError(
        f"{problem}, and the cluster rejects a new one: because of the namespace's label, Katib's "
        "own webhook must accept the pod, and the webhook is down without the controller.",
        hint=restart_controller_command(kubectl_target(kube)),
    )


def check_controller(kube: Kube) -> str:
    """Check that Katib's controller runs, and that it can start again after it has lost its pod.

    Raises:
        ClusterError: It has no ready pod.
        CheckWarning: It shares the namespace of the searches, it is in another namespace, or the
            user may not read its deployment.
    """
    require_controller(kube)
    if kube.namespace == KATIB_NAMESPACE:
        raise CheckWarning(
            f"Katib's controller and the searches share the namespace {KATIB_NAMESPACE}. Because "
            "of its label, Katib's webhook must accept the controller's own pod, so a controller "
            "that has lost its pod cannot start again.",
            hint="housectl cluster init --namespace housectl   # then set namespace: housectl "
            "under katib: in housectl.yaml",
        )
    return f"Katib's controller runs in the namespace {KATIB_NAMESPACE}"


def require_database(kube: Kube) -> list[str]:
    """Return the running components of Katib's database.

    A trial fails at its end if the database does not accept its metric. Katib always has a manager;
    its database server may be outside the cluster.

    Raises:
        ClusterError: A component of the database has no ready pod.
        CheckWarning: They are in another namespace, or the user may not read their deployments.
    """
    _expect(kube, DATABASE_MANAGER, subject="Katib's database")
    components = {name: _find(kube, name) for name in DATABASE_COMPONENTS}
    for name, deployment in components.items():
        if deployment and not deployment.is_ready:
            raise ClusterError(
                f"Katib's database is unavailable: no pod of {name} is ready in the namespace "
                f"{KATIB_NAMESPACE}. Every trial would fail at its end.",
                hint=_repair_command(kube, name, deployment),
            )
    return [name for name, deployment in components.items() if deployment]


def check_database(kube: Kube) -> str:
    """Check that the components of Katib's database run.

    Raises:
        ClusterError: A component of the database has no ready pod.
        CheckWarning: They are in another namespace, or the user may not read their deployments.
    """
    running = " and ".join(require_database(kube))
    return f"Katib's {running} run in the namespace {KATIB_NAMESPACE}"


def _expect(kube: Kube, component: str, *, subject: str) -> Deployment:
    with warn_if_forbidden(subject):
        deployment = _find(kube, component)
    if deployment is None:
        raise CheckWarning(
            f"{subject} cannot be checked: the namespace {KATIB_NAMESPACE} has no deployment "
            f"{deployment_name(component)}.",
            hint=f"{kube.server.kubectl} get deployments -A -l {COMPONENT_LABEL}",
        )
    return deployment


def _find(kube: Kube, component: str) -> Deployment | None:
    try:
        return kube.get(
            DEPLOYMENTS, deployment_name(component), Deployment, namespace=KATIB_NAMESPACE
        )
    except NotFoundError:
        return None


def _repair_command(kube: Kube, component: str, deployment: Deployment) -> str:
    kubectl, name = f"{kube.server.kubectl} -n {KATIB_NAMESPACE}", deployment_name(component)
    if not deployment.has_pods:
        return f"{kubectl} scale deployment {name} --replicas=1"
    return (
        f"{kubectl} describe pods -l {COMPONENT_LABEL}={component}   # then {kubectl} rollout "
        f"restart deployment {name}"
    )
