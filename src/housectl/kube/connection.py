"""Connections to an API server: of a kubeconfig context, or of the surrounding cluster."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from housectl.errors import ClusterUnreachableError
from housectl.kube.errors import ApiServer

if TYPE_CHECKING:
    from kubernetes.client import ApiClient


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A client of one API server."""

    client: "ApiClient"
    server: ApiServer


def connect(context: str | None) -> Connection:
    """Return a client for a context of the kubeconfig; None means the current context.

    Without a kubeconfig, the client is for the cluster that this process runs in.

    Raises:
        ClusterUnreachableError: There is neither a kubeconfig nor a surrounding cluster, or the
            context does not exist.
    """
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config import ConfigException, load_incluster_config
    from yaml import YAMLError

    configuration = Configuration()
    # Retries would hide a refused connection for a minute, and print a warning for each.
    configuration.retries = False
    # Each watch holds a connection in addition to those of single requests.
    configuration.connection_pool_maxsize = 32
    try:
        name = _load(configuration, context)
    except (OSError, TypeError, ValueError, YAMLError) as error:
        raise _kubeconfig_unreadable(error) from error
    except ConfigException as error:
        if context is not None:
            raise _context_unusable(context, error) from error
        name = ""
        try:
            load_incluster_config(client_configuration=configuration)
        except ConfigException:
            raise _no_cluster(error) from error
    server = ApiServer(context=name, address=str(configuration.host))
    return Connection(client=ApiClient(configuration), server=server)


def _load(configuration: object, context: str | None) -> str:
    """Load a context of the kubeconfig, and return its name."""
    from kubernetes.config import list_kube_config_contexts, load_kube_config

    # The client library reads this variable only once, at its import.
    files = os.environ.get("KUBECONFIG")
    _, active = list_kube_config_contexts(files)
    load_kube_config(files, context=context, client_configuration=configuration)
    return context or str(active["name"])


def _kubeconfig_unreadable(error: Exception) -> ClusterUnreachableError:
    text = " ".join(str(error).split())
    return ClusterUnreachableError(
        f"The kubeconfig cannot be read: {text}.",
        hint="kubectl config view   # or set KUBECONFIG to another file",
    )


def _context_unusable(context: str, error: Exception) -> ClusterUnreachableError:
    return ClusterUnreachableError(
        f"The kubeconfig has no usable context {context!r}: {error}.",
        hint="kubectl config get-contexts",
    )


def _no_cluster(error: Exception) -> ClusterUnreachableError:
    return ClusterUnreachableError(
        f"No cluster is configured: {str(error).rstrip('.')}.",
        hint="minikube start   # or set KUBECONFIG to your cluster's file",
    )
