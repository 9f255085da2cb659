"""Handlers: the template of the path that answers a request, as a label of metrics and logs."""

from types import FunctionType

from starlette.types import Scope

# Key of a scope whose value is the handler, for paths that are answered outside of FastAPI.
HANDLER = "housectl.handler"

OTHER = "other"


def handler_of(scope: Scope) -> str:
    """Return the template of an answered request's path; `other` for a path without a route."""
    if handler := scope.get(HANDLER):
        return str(handler)
    if route := scope.get("route"):
        return str(route.path)
    # Starlette's own routes set no `route`. They have no parameters here, and mounts no function.
    return str(scope["path"]) if isinstance(scope.get("endpoint"), FunctionType) else OTHER
