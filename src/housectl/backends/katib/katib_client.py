"""The Kubernetes client of the Katib backend, which explains the errors that Katib causes."""

import re
from functools import partial

from housectl.backends.katib.katib_installation import (
    INJECTED,
    INJECTION_LABEL,
    controller_hint,
    label_command,
)
from housectl.errors import ClusterError, KatibMissingError
from housectl.kube.client import Kube
from housectl.kube.errors import UNKNOWN_KIND, ApiServer
from housectl.kube.kubectl import KubectlTarget

_MANIFESTS = "github.com/kubeflow/katib.git/manifests/v1beta1/installs/katib-standalone?ref=v0.19.0"
_WEBHOOK_FAILED = re.compile(r'failed calling webhook "[^"]*katib')
_UNLABELLED = re.compile(
    rf'in namespace "(?P<namespace>[^"]+)": the namespace lacks label "{re.escape(INJECTION_LABEL)}'
)


def katib_client(context: str | None, namespace: str) -> Kube:
    """Return a client for one namespace of a cluster with Katib.

    Args:
        context: A context of the kubeconfig; None for the current one.
        namespace: Namespace of the experiments.
    """
    return Kube(context, namespace, explain=partial(_explain, namespace))


def katib_missing(server: ApiServer, reason: str) -> KatibMissingError:
    """Return the error for a cluster without Katib, or with an incomplete one."""
    return KatibMissingError(
        f"The cluster has no Katib: {reason}.",
        hint=f'{server.kubectl} apply -k "{_MANIFESTS}"',
    )


def namespace_unlabelled(target: KubectlTarget, namespace: str) -> ClusterError:
    """Return the error for a namespace in which Katib rejects every change of an Experiment."""
    return ClusterError(
        f"The namespace {namespace} lacks the label {INJECTION_LABEL}={INJECTED}: Katib rejects "
        "every change of its experiments, including their deletion.",
        hint=label_command(target, namespace),
    )


def _explain(namespace: str, server: ApiServer, message: str) -> ClusterError | None:
    # A cluster serves all other kinds that the backend uses.
    if message == UNKNOWN_KIND:
        return katib_missing(server, "it does not serve Katib's kinds")
    target = KubectlTarget(namespace=namespace, context=server.context)
    if match := _UNLABELLED.search(message):
        return namespace_unlabelled(target, match["namespace"])
    if _WEBHOOK_FAILED.search(message):
        return ClusterError(
            f"Katib's webhook is unavailable, so the cluster rejects new experiments and pods: "
            f"{message}.",
            hint=controller_hint(target),
        )
    return None
