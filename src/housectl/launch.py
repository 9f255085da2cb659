"""Starting the server on this machine: a process or a container, without anything that trains."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from housectl.contract.files import translate_disk_errors
from housectl.errors import LocalEnvironmentError
from housectl.external_tools import RUNNERS, find_engine
from housectl.pushed_images import ImageKind, local_image, pushed_image

_LIBRARIES = ("fastapi", "uvicorn", "housectl_server")

# What Dockerfile.server says.
_PORT_INSIDE = 8005
_STORE_INSIDE = "/store"


def exec_server(store: Path, *, host: str, port: int, as_json: bool) -> NoReturn:
    """Replace this process by the server, so that signals and exit status are the server's own.

    Raises:
        MachineError: The server's libraries are not installed.
    """
    missing = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise LocalEnvironmentError(
            f"The server needs {', '.join(missing)}, which this Python does not have.",
            hint="pip install 'housectl[serve]'",
        )
    arguments = [sys.executable, "-m", "housectl_server", "--host", host, "--port", str(port)]
    os.execve(  # noqa: S606
        sys.executable,
        [*arguments, *(["--json"] if as_json else [])],
        {**os.environ, "HOUSECTL_STORE": str(store)},
    )


def exec_server_container(
    store: Path, *, images: Path, host: str, port: int, as_json: bool
) -> NoReturn:
    """Replace this process by an engine that runs the server's image and passes signals on.

    The image is the one that `images` records; without a record, what `make images` has built.

    Raises:
        ToolMissingError: There is neither docker nor podman.
        MachineError: There is no image, or the store cannot be made.
    """
    engine = find_engine(RUNNERS)
    with translate_disk_errors(store):  # docker would make it as root
        store.mkdir(parents=True, exist_ok=True)
    address = f"[{host}]" if ":" in host else host
    arguments = [
        *(engine, "run", "--rm"),
        *("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
        f"--publish={address}:{port}:{_PORT_INSIDE}",
        # z: where SELinux is, containers may read what has their label only.
        f"--volume={store}:{_STORE_INSIDE}:ro,z",
        pushed_image(images, ImageKind.SERVER) or _built_image(engine),
        *(["--json"] if as_json else []),
    ]
    os.execv(engine, arguments)  # noqa: S606


def _built_image(engine: str) -> str:
    image = local_image(ImageKind.SERVER)
    found = subprocess.run([engine, "image", "inspect", image], capture_output=True, check=False)
    if found.returncode:
        raise LocalEnvironmentError(f"{engine} has no image {image}.", hint="make images")
    return image
