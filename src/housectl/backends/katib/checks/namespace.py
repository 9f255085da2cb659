"""The namespace of experiments."""

from housectl.backends.katib.checks.common import init_command, warn_if_forbidden
from housectl.backends.katib.katib_names import INJECTED, INJECTION_LABEL
from housectl.errors import ClusterError, NotFoundError
from housectl.kube.client import Kube
from housectl.kube.kinds import NAMESPACES
from housectl.kube.objects.base import NamedObject


def check_namespace(kube: Kube) -> str:
    """Whether the namespace is there, and Katib may work in it.

    Raises:
        AbsentError: It is not there.
        ClusterError: It has not the label by which Katib knows where it may put its collector.
        Concern: The user may not look.
    """
    name = kube.namespace
    try:
        with warn_if_forbidden(f"The label of the namespace {name}"):
            found = kube.get(NAMESPACES, name, NamedObject)
    except NotFoundError as error:
        raise NotFoundError(error.message, hint=init_command(kube)) from error
    if found.metadata.labels.get(INJECTION_LABEL) != INJECTED:
        raise ClusterError(
            f"The namespace {name} has no label {INJECTION_LABEL}={INJECTED}, without which Katib "
            "refuses experiments there.",
            hint=init_command(kube),
        )
    return f"{name}, with Katib's label"
