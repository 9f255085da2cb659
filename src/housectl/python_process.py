"""Python processes that housectl starts, isolated from the modules of the user.

Python looks for modules in the current directory and in PYTHONPATH before its own library.
"""

import os
import sys

_VARIABLE = "PYTHONPATH"


def module_argv(module: str, *arguments: str) -> list[str]:
    """Return the arguments that make Python run a module, without the current directory."""
    return ["-P", "-m", module, *arguments]


def child_environment() -> dict[str, str]:
    """Return this process's variables without PYTHONPATH, unless housectl is installed there."""
    if os.path.dirname(os.path.dirname(__file__)) in _pythonpath():  # noqa: PTH120
        return {**os.environ}
    return isolated_environment()


def isolated_environment() -> dict[str, str]:
    """Return this process's variables without PYTHONPATH, for a Python with its own modules."""
    return {name: value for name, value in os.environ.items() if name != _VARIABLE}


def deprioritize_pythonpath() -> None:
    """Move the directories of PYTHONPATH to the end of this process's module path."""
    directories = _pythonpath()
    sys.path.sort(key=directories.__contains__)


def _pythonpath() -> frozenset[str]:
    value = os.environ.get(_VARIABLE)
    # An import of pathlib would need modules that PYTHONPATH may replace.
    return frozenset(map(os.path.abspath, value.split(os.pathsep)) if value else ())
