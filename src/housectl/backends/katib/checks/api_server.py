"""The API server."""

from housectl.kube.client import Kube


def check_server(kube: Kube) -> str:
    """Who answers.

    Raises:
        ClusterUnreachableError: Nobody does, or the kubeconfig does not say who should.
    """
    version, server = kube.get_raw("/version").get("gitVersion"), kube.server
    context = f"context {server.context}" if server.context else "this pod's own cluster"
    return f"Kubernetes {version} at {server.address}, {context}, namespace {kube.namespace}"
