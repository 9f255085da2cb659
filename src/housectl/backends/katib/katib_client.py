"""The Kubernetes client of the Katib backend, which explains the errors that Katib causes."""

import re

from housectl.backends.katib.katib_installation import COMPONENT_LABEL, CONTROLLER
from housectl.errors import ClusterError, KatibMissingError
from housectl.kube.client import Kube
from housectl.kube.errors import UNKNOWN_KIND, ApiServer

_MANIFESTS = "github.com/kubeflow/katib.git/manifests/v1beta1/installs/katib-standalone?ref=v0.19.0"
_WEBHOOK_FAILED = re.compile(r'failed calling webhook "[^"]*katib')


def katib_client(context: str | None, namespace: str) -> Kube:
    """Return a client for one namespace of a cluster with Katib.

    Args:
        context: A context of the kubeconfig; None for the current one.
        namespace: Namespace of the experiments.
    """
    return Kube(context, namespace, explain=_explain)


def katib_missing(server: ApiServer, reason: str) -> KatibMissingError:
    """Return the error for a cluster without Katib, or with an incomplete one."""
    return KatibMissingError(
        f"The cluster has no Katib: {reason}.",
        hint=f'{server.kubectl} apply -k "{_MANIFESTS}"',
    )


def _explain(server: ApiServer, message: str) -> ClusterError | None:
    # A cluster serves all other kinds that the backend uses.
    if message == UNKNOWN_KIND:
        return katib_missing(server, "it does not serve Katib's kinds")
    if _WEBHOOK_FAILED.search(message):
        return ClusterError(
            f"Katib's webhook is unavailable, so the cluster rejects every experiment: {message}.",
            hint=f"{server.kubectl} get pods -A -l {COMPONENT_LABEL}={CONTROLLER}",
        )
    return None
