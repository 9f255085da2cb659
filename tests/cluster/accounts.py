"""Kubeconfigs of service accounts: what somebody with their rights alone would have."""

import json
from pathlib import Path

from tests.cluster.nodes import kubectl


def kubeconfig_of(account: str, namespace: str, path: Path) -> str:
    """Write a kubeconfig with a token of an account, and return its path."""
    known = json.loads(kubectl("config", "view", "--raw", "--minify", "--output=json"))
    token = kubectl("create", "token", account, f"--namespace={namespace}").strip()
    (context,) = known["contexts"]
    context["context"]["user"] = account
    path.write_text(json.dumps({**known, "users": [{"name": account, "user": {"token": token}}]}))
    path.chmod(0o600)
    return str(path)
