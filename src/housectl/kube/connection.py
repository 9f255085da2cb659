"""Finding the API server: a kubeconfig's context, or the cluster that this process runs in."""

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
    """Return a client for a context of the kubeconfig, the current one by default.

    Without a kubeconfig it is the cluster that this process runs in.

    Raises:
        ClusterUnreachableError: There is neither, or no such context.
    """
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config import ConfigException, load_incluster_config
    from yaml import YAMLError

    configuration = Configuration()
    # Retries would hide for a minute that nobody listens, and print a warning for each.
    configuration.retries = False
    # Each watch holds a connection, beside those for single requests.
    configuration.connection_pool_maxsize = 32
    try:
        name = _load(configuration, context)
    except (OSError, TypeError, ValueError, YAMLError) as error:
        raise _unreadable(error) from error
    except ConfigException as error:
        if context is not None:
            raise _unknown(context, error) from error
        name = ""
        try:
            load_incluster_config(client_configuration=configuration)
        except ConfigException:
            raise _none(error) from error
    server = ApiServer(context=name, address=str(configuration.host))
    return Connection(client=ApiClient(configuration), server=server)


def _load(configuration: object, context: str | None) -> str:
    from kubernetes.config import list_kube_config_contexts, load_kube_config

    # The client looks at this variable only once, when it is imported.
    files = os.environ.get("KUBECONFIG")
    _, active = list_kube_config_contexts(files)
    load_kube_config(files, context=context, client_configuration=configuration)
    return context or str(active["name"])


def _unreadable(error: Exception) -> ClusterUnreachableError:
    text = " ".join(str(error).split())
    return ClusterUnreachableError(
        f"The kubeconfig cannot be read: {text}.",
        hint="kubectl config view   # or let KUBECONFIG name another file",
    )


def _unknown(context: str, error: Exception) -> ClusterUnreachableError:
    return ClusterUnreachableError(
        f"The kubeconfig has no usable context {context!r}: {error}.",
        hint="kubectl config get-contexts",
    )


def _none(error: Exception) -> ClusterUnreachableError:
    return ClusterUnreachableError(
        f"No cluster is known here: {str(error).rstrip('.')}.",
        hint="minikube start   # or let KUBECONFIG name your cluster's file",
    )
