"""The namespace of experiments."""

from housectl.backends.katib.checks.common import if_allowed, preparing
from housectl.backends.katib.katib_names import INJECTED, INJECTION_LABEL
from housectl.errors import AbsentError, ClusterError
from housectl.kube.client import Kube
from housectl.kube.kinds import NAMESPACES
from housectl.kube.objects.base import Named


def check_namespace(kube: Kube) -> str:
    """Whether the namespace is there, and Katib may work in it.

    Raises:
        AbsentError: It is not there.
        ClusterError: It has not the label by which Katib knows where it may put its collector.
        Concern: The user may not look.
    """
    name = kube.namespace
    try:
        with if_allowed(f"The label of the namespace {name}"):
            found = kube.get(NAMESPACES, name, Named)
    except AbsentError as error:
        raise AbsentError(error.message, hint=preparing(kube)) from error
    if found.metadata.labels.get(INJECTION_LABEL) != INJECTED:
        raise ClusterError(
            f"The namespace {name} has no label {INJECTION_LABEL}={INJECTED}, without which Katib "
            "refuses experiments there.",
            hint=preparing(kube),
        )
    return f"{name}, with Katib's label"
