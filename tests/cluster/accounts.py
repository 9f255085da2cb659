"""Kubeconfigs with the permissions of one service account."""

import json
from pathlib import Path

from tools.dev_cluster.kubectl import kubectl


def write_kubeconfig(account: str, namespace: str, path: Path) -> str:
    """Write a kubeconfig with a token of the account, and return its path."""
    config = json.loads(kubectl("config", "view", "--raw", "--minify", "--output=json"))
    token = kubectl("create", "token", account, f"--namespace={namespace}").strip()
    (context,) = config["contexts"]
    context["context"]["user"] = account
    path.write_text(json.dumps({**config, "users": [{"name": account, "user": {"token": token}}]}))
    path.chmod(0o600)
    return str(path)
