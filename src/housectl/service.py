"""Starting the server on this machine: a process of its own, without anything that trains."""

import importlib.util
import os
import sys
from pathlib import Path
from typing import NoReturn

from housectl.errors import MachineError

_LIBRARIES = ("fastapi", "uvicorn", "server")


def become_server(store: Path, *, host: str, port: int, as_json: bool) -> NoReturn:
    """Replace this process by the server, so that signals and exit status are the server's own.

    Raises:
        MachineError: The server's libraries are not installed.
    """
    missing = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise MachineError(
            f"The server needs {', '.join(missing)}, which this Python does not have.",
            hint="pip install 'housectl[serve]'",
        )
    arguments = [sys.executable, "-m", "server", "--host", host, "--port", str(port)]
    os.execve(  # noqa: S606
        sys.executable,
        [*arguments, *(["--json"] if as_json else [])],
        {**os.environ, "HOUSECTL_STORE": str(store)},
    )
