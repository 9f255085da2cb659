"""Kubeconfigs with one cluster, for servers of tests."""

import json
from collections.abc import Mapping

_NO_CREDENTIALS: Mapping[str, object] = {}


def kubeconfig(
    cluster: Mapping[str, object],
    *,
    user: Mapping[str, object] = _NO_CREDENTIALS,
    context: str = "here",
) -> str:
    """Return the text of a kubeconfig.

    Args:
        cluster: Address and certificate of the API server.
        user: Credentials.
        context: Name of its only context, which is the current one.
    """
    names = {"cluster": context, "user": "me"}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": context, "cluster": cluster}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": context, "context": names}],
    }
    return json.dumps(content)
