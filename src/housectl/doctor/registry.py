"""Checks of the model registry: its URL, its health, and the permission to write."""

from collections.abc import Sequence
from functools import partial

from housectl.backends.doctor_check import Check, CheckContext, CheckWarning
from housectl.http_clients import is_loopback
from housectl.registry.factory import open_mirror
from housectl.store.factory import open_store

_SECONDS = 10.0


def registry_checks(context: CheckContext) -> Sequence[Check]:
    """Return the checks of the project's registry; none without a registry."""
    if context.project.registry.url is None:
        return ()
    return (Check("registry", partial(check_registry, context)),)


def check_registry(context: CheckContext) -> str:
    """Check health and write permission; nothing in the registry changes."""
    workspace = context.workspace
    store = open_store(workspace.store, cache=workspace.cache)
    mirror = open_mirror(context.project, store, workspace.root)
    mirror.check(seconds=_SECONDS)
    if mirror.token and mirror.url.startswith("http:") and not is_loopback(mirror.url):
        raise CheckWarning(
            f"The token is sent to {mirror.url} without encryption.",
            hint="housectl doctor --registry-url https://HOST   # a URL with TLS",
        )
    return f"{mirror.url} is healthy and accepts writes; the model is {mirror.name}"
