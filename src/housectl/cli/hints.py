"""Hints that name the project and store of the failed command, so that they work when pasted."""

import re
import shlex
from pathlib import Path

_COMMANDS = (
    *("cluster init", "compare", "delete", "doctor", "history", "list", "logs", "promote", "prune"),
    *("registry status", "registry sync", "render", "reproduce", "rollback", "run", "serve"),
    *("show", "status", "stop", "tune", "verify"),
)
_PATTERN = re.compile(rf"housectl (?:{'|'.join(_COMMANDS)})\b")


def repeat_locations(hint: str, *, project: Path | None, store: str | None) -> str:
    """Return a hint whose commands of housectl use the same project and store.

    Args:
        hint: Shell commands, perhaps with comments.
        project: Value of the command's `-C`; None without one.
        store: Value of the command's `--store`; None without one.
    """
    given = {"-C": project, "--store": store}
    words = [word for flag, value in given.items() if value for word in (flag, str(value))]
    return _PATTERN.sub(lambda match: shlex.join([*match[0].split(), *words]), hint)
