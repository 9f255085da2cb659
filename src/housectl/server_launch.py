"""Starts the server on this machine, as a process or a container."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from housectl.contract.files import translate_disk_errors
from housectl.errors import LocalEnvironmentError
from housectl.external_tools import CONTAINER_RUNNERS, find_engine
from housectl.pushed_images import ImageKind, local_image, pushed_image
from housectl.python_process import child_environment, module_argv

_SERVER_LIBRARIES = ("fastapi", "uvicorn", "housectl_server")

# The values of Dockerfile.server.
_CONTAINER_PORT = 8005
_CONTAINER_STORE = "/store"


def exec_server(store: Path, *, host: str, port: int, as_json: bool) -> NoReturn:
    """Replace this process with the server, so it receives signals and sets the exit status.

    Raises:
        LocalEnvironmentError: The server's libraries are not installed.
    """
    missing = [name for name in _SERVER_LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise LocalEnvironmentError(
            f"Libraries of the server are missing in this Python: {', '.join(missing)}.",
            hint="pip install 'housectl[serve]'",
        )
    arguments = module_argv("housectl_server", "--host", host, "--port", str(port))
    os.execve(  # noqa: S606
        sys.executable,
        [sys.executable, *arguments, *(["--json"] if as_json else [])],
        {**child_environment(), "HOUSECTL_STORE": str(store)},
    )


def exec_server_container(
    store: Path, *, images: Path, host: str, port: int, as_json: bool
) -> NoReturn:
    """Replace this process with a container engine, which forwards signals to the server.

    Args:
        store: The champion store, mounted read-only.
        images: Record of the pushed images; without it, the image that `make images` has built.
        host: Address to listen on.
        port: Port to listen on.
        as_json: Log in JSON.

    Raises:
        ToolMissingError: Neither docker nor podman is installed.
        LocalEnvironmentError: There is no image, or the store cannot be created.
    """
    engine = find_engine(CONTAINER_RUNNERS)
    with translate_disk_errors(store):  # otherwise docker creates it as root
        store.mkdir(parents=True, exist_ok=True)
    address = f"[{host}]" if ":" in host else host
    arguments = [
        *(engine, "run", "--rm"),
        *("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
        f"--publish={address}:{port}:{_CONTAINER_PORT}",
        # z: with SELinux, a container can only read files that have its label.
        f"--volume={store}:{_CONTAINER_STORE}:ro,z",
        pushed_image(images, ImageKind.SERVER) or _local_server_image(engine),
        *(["--json"] if as_json else []),
    ]
    os.execv(engine, arguments)  # noqa: S606


def _local_server_image(engine: str) -> str:
    image = local_image(ImageKind.SERVER)
    inspected = subprocess.run(
        [engine, "image", "inspect", image], capture_output=True, check=False
    )
    if inspected.returncode:
        raise LocalEnvironmentError(f"{engine} has no image {image}.", hint="make images")
    return image
