"""Hints that repeat options of the failed command, so that they work when pasted."""

import re
import shlex
from collections.abc import Mapping

from housectl.cli.settings import REGISTRY_SETTINGS, parameter_name

_COMMANDS = (
    *("cluster init", "compare", "delete", "doctor", "drift", "history", "list", "logs"),
    *("predict", "promote", "prune", "registry status", "registry sync", "render", "reproduce"),
    *("rollback", "run", "serve", "show", "status", "stop", "tune", "verify"),
)
_REGISTRY_COMMANDS = ("housectl doctor", "housectl registry status", "housectl registry sync")
# Such URLs are invalid, and can contain a password or a signature.
_SECRET_URL = re.compile(r"[a-z0-9+.-]+:/+([^/]*@|.*[?#])", re.IGNORECASE)
_PATTERN = re.compile(rf"housectl (?:{'|'.join(_COMMANDS)})\b")


def repeat_locations(hint: str, arguments: Mapping[str, object]) -> str:
    """Return a hint whose commands of housectl use the same project, store and model registry.

    An option of the hint itself, and a URL with a secret, are not repeated.

    Args:
        hint: Shell commands, perhaps with comments.
        arguments: The failed command's arguments, by the names of their parameters.
    """

    def repeat(match: re.Match[str]) -> str:
        flags = {"project": "-C", "store": "--store"}
        if match[0] in _REGISTRY_COMMANDS:
            flags |= {parameter_name(name): f"--{name}" for name in REGISTRY_SETTINGS}
        words = match[0].split()
        for name, flag in flags.items():
            value = str(arguments.get(name) or "")
            if value and flag not in hint.split() and not _SECRET_URL.match(value):
                words += flag, value
        return shlex.join(words)

    return _PATTERN.sub(repeat, hint)
