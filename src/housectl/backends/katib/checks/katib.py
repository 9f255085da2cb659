"""Checks of Katib: its kinds, its webhooks and its database."""

from collections.abc import Sequence
from dataclasses import replace

from housectl.backends.doctor_check import CheckWarning
from housectl.backends.katib.checks.common import warn_if_forbidden
from housectl.backends.katib.katib_client import katib_missing
from housectl.backends.katib.katib_installation import (
    COMPONENT_LABEL,
    DATABASE_MANAGER,
    KATIB_NAMESPACE,
)
from housectl.backends.katib.katib_objects import EXPERIMENTS, SUGGESTIONS, TRIALS
from housectl.backends.katib.plan.katib_plan import KatibPlan
from housectl.backends.katib.plan.validation import validate_plan
from housectl.errors import ClusterError, RejectedError
from housectl.kube.client import Kube
from housectl.kube.kinds import PODS
from housectl.kube.objects.base import KubeObject, parse, true_condition
from housectl.kube.objects.pods import Pod

_KINDS = (EXPERIMENTS, TRIALS, SUGGESTIONS)
_VERSION = f"{EXPERIMENTS.group}/{EXPERIMENTS.version}"
# The manager depends on the database server, so the server comes first.
_DATABASE_COMPONENTS = ("mysql", "postgres", DATABASE_MANAGER)


class _Resource(KubeObject):
    name: str


class _Resources(KubeObject):
    resources: tuple[_Resource, ...] = ()


def require_katib(kube: Kube) -> None:
    """Require Katib's kinds.

    Raises:
        KatibMissingError: The cluster does not serve them.
        CheckWarning: The user may not list the kinds of the cluster.
    """
    with warn_if_forbidden("Katib's installation"):
        served = parse(_Resources, dict(kube.get_raw(f"/apis/{_VERSION}")))
    names = {resource.name for resource in served.resources}
    missing = [kind.plural for kind in _KINDS if kind.plural not in names]
    if missing:
        raise katib_missing(kube.server, f"{_VERSION} lacks {', '.join(missing)}")


def check_katib(kube: Kube) -> str:
    """Check that the cluster serves Katib's kinds.

    Raises:
        KatibMissingError: The cluster does not serve them.
        CheckWarning: The user may not list the kinds of the cluster.
    """
    require_katib(kube)
    return f"{', '.join(kind.plural for kind in _KINDS)} of {_VERSION}"


def check_admission(kube: Kube, plan: KatibPlan) -> str:
    """Check with a dry run that Katib's webhooks accept a search.

    Raises:
        UsageError: Katib would accept the search, but its algorithm would stall.
        RejectedError: Katib rejects the search.
        ClusterError: Katib's controller, which serves the webhooks, is unavailable.
    """
    validate_plan(plan)
    for manifest in plan.manifests():
        try:
            kube.create(plan.kind, manifest, dry_run=True)
        except RejectedError as error:
            raise RejectedError(
                error.message, hint="housectl render   # shows the rejected experiment"
            ) from error
    return "Katib's webhooks accept this project's experiment"


def check_database(kube: Kube) -> str:
    """Check that the pods of Katib's database are ready.

    A trial fails at its end if the database does not accept its metric.

    Raises:
        ClusterError: A component of the database has no ready pod.
        CheckWarning: The pods are in another namespace, or the user may not list them.
    """
    katib = replace(kube, namespace=KATIB_NAMESPACE)
    with warn_if_forbidden("Katib's database"):
        pods = katib.list_as(PODS, Pod, labels=COMPONENT_LABEL)
    if not pods:
        raise CheckWarning(
            f"Katib's database cannot be checked: Katib has no pods in the namespace "
            f"{KATIB_NAMESPACE}.",
            hint=f"{kube.server.kubectl} get pods -A -l {COMPONENT_LABEL}",
        )
    if component := unready_component(pods):
        raise ClusterError(
            f"Katib's database is unavailable: no pod of {component} is ready in the namespace "
            f"{KATIB_NAMESPACE}. Every trial would fail at its end.",
            hint=_repair_command(katib, component, has_pods=bool(_pods_of(component, pods))),
        )
    running = " and ".join(each for each in _DATABASE_COMPONENTS if _pods_of(each, pods))
    return f"Katib's {running} run in the namespace {KATIB_NAMESPACE}"


def unready_component(pods: Sequence[Pod]) -> str | None:
    """Return the first component of the database without a ready pod.

    Katib always has a manager; its database server may be outside the cluster.
    """
    for component in _DATABASE_COMPONENTS:
        own_pods = _pods_of(component, pods)
        is_expected = own_pods or component == DATABASE_MANAGER
        if is_expected and not any(_is_ready(pod) for pod in own_pods):
            return component
    return None


def _repair_command(katib: Kube, component: str, *, has_pods: bool) -> str:
    if has_pods:
        return (
            f"{katib.kubectl} describe pods -l {COMPONENT_LABEL}={component}   # then "
            f"{katib.kubectl} rollout restart deployment katib-{component}"
        )
    return f"{katib.kubectl} scale deployment katib-{component} --replicas=1"


def _pods_of(component: str, pods: Sequence[Pod]) -> list[Pod]:
    return [pod for pod in pods if pod.metadata.labels.get(COMPONENT_LABEL) == component]


def _is_ready(pod: Pod) -> bool:
    return true_condition(pod.status.conditions, "Ready") is not None
