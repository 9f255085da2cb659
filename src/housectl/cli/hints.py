"""Hints that repeat options of the failed command, so that they work when pasted."""

import re
import shlex
from collections.abc import Mapping

from housectl.cli.settings import REGISTRY_SETTINGS, parameter_name

_COMMANDS = (
    *("cluster init", "compare", "delete", "doctor", "history", "list", "logs", "promote", "prune"),
    *("registry status", "registry sync", "render", "reproduce", "rollback", "run", "serve"),
    *("show", "status", "stop", "tune", "verify"),
)
_REGISTRY_COMMANDS = ("housectl doctor", "housectl registry status", "housectl registry sync")
_PATTERN = re.compile(rf"housectl (?:{'|'.join(_COMMANDS)})\b")


def repeat_locations(hint: str, arguments: Mapping[str, object]) -> str:
    """Return a hint whose commands of housectl use the same project, store and model registry.

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
            if arguments.get(name):
                words += flag, str(arguments[name])
        return shlex.join(words)

    return _PATTERN.sub(repeat, hint)
