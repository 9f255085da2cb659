"""What a user may not do, and how rights are given."""

import re

from housectl.backends.katib.diagnosis.cause import Cause, sentence

_FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)" '
    r'in API group "(?P<group>[^"]*)" '
    r'(?:in the namespace "(?P<namespace>[^"]+)"|at the cluster scope)'
)
_GIVING = "housectl cluster init, run by an administrator, gives the rights"


def explain_forbidden(message: str, *, context: str | None = None) -> Cause:
    """Return what Kubernetes forbids, with the command that asks for the right.

    Args:
        message: Kubernetes' own, with status 403.
        context: The kubeconfig's; None for the current one.
    """
    kubectl = f"kubectl --context {context}" if context else "kubectl"
    match = _FORBIDDEN.search(message)
    if match is None:
        quota = f"{kubectl} describe resourcequota -A"
        return Cause(
            message=sentence("The cluster forbids it", message),
            hint=quota if "quota" in message else f"{kubectl} auth can-i --list   # {_GIVING}",
        )
    resource, _, subresource = match["resource"].partition("/")
    kind = f"{resource}.{match['group']}" if match["group"] else resource
    sub = f" --subresource={subresource}" if subresource else ""
    scope = f" -n {match['namespace']}" if match["namespace"] else ""
    where = f"in the namespace {match['namespace']}" if scope else "on the whole cluster"
    part = f"{kind}/{subresource}" if subresource else kind
    return Cause(
        message=f"The user {match['user']} may not {match['verb']} {part} {where}.",
        hint=f"{kubectl} auth can-i {match['verb']} {kind}{sub}{scope}   # {_GIVING}",
    )
