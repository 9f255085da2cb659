"""Katib itself: its kinds, and the webhooks that say whether it takes an experiment."""

from housectl.backends.katib.checks.common import warn_if_forbidden
from housectl.backends.katib.plan.katib_plan import KatibPlan
from housectl.backends.katib.plan.validation import validate_plan
from housectl.errors import RejectedError
from housectl.kube.client import Kube
from housectl.kube.errors import katib_missing
from housectl.kube.kinds import EXPERIMENTS, SUGGESTIONS, TRIALS
from housectl.kube.objects.base import KubeObject, parse

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
            kube.create(manifest, dry_run=True)
        except RejectedError as error:
            raise RejectedError(
                error.message, hint="housectl render   # shows what was refused"
            ) from error
    return "Katib's webhooks take this project's experiment"
