"""Katib itself: its kinds, and the webhooks that say whether it takes an experiment."""

from collections.abc import Sequence
from dataclasses import replace

from housectl.backends.katib.checks.common import warn_if_forbidden
from housectl.backends.katib.katib_client import katib_missing
from housectl.backends.katib.katib_names import COMPONENT_LABEL, DATABASE_MANAGER, KATIB_NAMESPACE
from housectl.backends.katib.katib_objects import EXPERIMENTS, SUGGESTIONS, TRIALS
from housectl.backends.katib.plan.katib_plan import KatibPlan
from housectl.backends.katib.plan.validation import validate_plan
from housectl.errors import CheckWarning, ClusterError, RejectedError
from housectl.kube.client import Kube
from housectl.kube.kinds import PODS
from housectl.kube.objects.base import KubeObject, parse, true_condition
from housectl.kube.objects.pods import Pod

_KINDS = (EXPERIMENTS, TRIALS, SUGGESTIONS)
_VERSION = f"{EXPERIMENTS.group}/{EXPERIMENTS.version}"


class _Resource(KubeObject):
    name: str


class _Resources(KubeObject):
    resources: tuple[_Resource, ...] = ()


def require_katib(kube: Kube) -> None:
    """Ask for Katib's kinds.

    Raises:
        KatibMissingError: The cluster does not have them.
        Concern: The user may not know what the cluster has.
    """
    with warn_if_forbidden("Whether there is a Katib"):
        served = parse(_Resources, dict(kube.get_raw(f"/apis/{_VERSION}")))
    names = {each.name for each in served.resources}
    missing = [kind.plural for kind in _KINDS if kind.plural not in names]
    if missing:
        raise katib_missing(kube.server, f"{_VERSION} lacks {', '.join(missing)}")


def check_katib(kube: Kube) -> str:
    """Whether the cluster has Katib's kinds.

    Raises:
        KatibMissingError: It does not have them.
        Concern: The user may not know what the cluster has.
    """
    require_katib(kube)
    return f"{', '.join(kind.plural for kind in _KINDS)} of {_VERSION}"


def check_admission(kube: Kube, plan: KatibPlan) -> str:
    """Whether Katib would take a search: its webhooks are asked, and nothing is kept.

    Raises:
        UsageError: It would take it, and then stand still.
        DeniedError: It would not.
        ClusterError: Its controller, which has the webhooks, does not answer.
    """
    validate_plan(plan)
    for manifest in plan.manifests():
        try:
            kube.create(plan.kind, manifest, dry_run=True)
        except RejectedError as error:
            raise RejectedError(
                error.message, hint="housectl render   # shows what was refused"
            ) from error
    return "Katib's webhooks take this project's experiment"


# The manager comes last: it does not run without the one behind it.
_PARTS = ("mysql", "postgres", DATABASE_MANAGER)


def check_database(kube: Kube) -> str:
    """Whether the database runs, as far as its pods show it.

    Raises:
        ClusterError: A part of it does not.
        Concern: Its pods are elsewhere, or the user may not look at them.
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
    if part := unready_component(pods):
        raise ClusterError(
            f"No pod of {part}, a part of Katib's database, is ready in the namespace "
            f"{KATIB_NAMESPACE}, so every trial would fail at its end.",
            hint=f"{katib.kubectl} describe pods -l {COMPONENT_LABEL}={part}   # then "
            f"{katib.kubectl} rollout restart deployment katib-{part}"
            if _pods_of(part, pods)
            else f"{katib.kubectl} scale deployment katib-{part} --replicas=1",
        )
    running = " and ".join(part for part in _PARTS if _pods_of(part, pods))
    return f"Katib's {running} run in the namespace {KATIB_NAMESPACE}"


def unready_component(pods: Sequence[Pod]) -> str | None:
    """Return the first part of the database that does not run.

    There always is a manager; what it writes to may be outside of the cluster.
    """
    for part in _PARTS:
        mine = _pods_of(part, pods)
        if (mine or part == DATABASE_MANAGER) and not any(_is_ready(pod) for pod in mine):
            return part
    return None


def _pods_of(part: str, pods: Sequence[Pod]) -> list[Pod]:
    return [pod for pod in pods if pod.metadata.labels.get(COMPONENT_LABEL) == part]


def _is_ready(pod: Pod) -> bool:
    return true_condition(pod.status.conditions, "Ready") is not None
