"""Checks of Katib: its kinds and its webhooks."""

from housectl.backends.katib.checks.common import warn_if_forbidden
from housectl.backends.katib.katib_client import katib_missing
from housectl.backends.katib.katib_objects import EXPERIMENTS, SUGGESTIONS, TRIALS
from housectl.backends.katib.plan.katib_plan import KatibPlan
from housectl.backends.katib.plan.validation import validate_plan
from housectl.errors import RejectedError
from housectl.kube.client import Kube
from housectl.kube.objects.base import KubeObject, parse

_KINDS = (EXPERIMENTS, TRIALS, SUGGESTIONS)
_VERSION = f"{EXPERIMENTS.group}/{EXPERIMENTS.version}"


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
