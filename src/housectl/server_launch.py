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
from housectl.store.address import Provider, RemoteAddress, StoreAddress

_SERVER_LIBRARIES = ("fastapi", "uvicorn", "housectl_server")

# The values of Dockerfile.server.
_CONTAINER_PORT = 8005
_CONTAINER_STORE = "/store"

# Credentials, endpoints and regions are variables with these prefixes.
_VARIABLE_PREFIXES = {Provider.S3: "AWS_", Provider.GCS: "GOOGLE_", Provider.AZURE: "AZURE_"}


def exec_server(store: StoreAddress, *, host: str, port: int, as_json: bool) -> NoReturn:
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
    store: StoreAddress, *, images: Path, host: str, port: int, as_json: bool
) -> NoReturn:
    """Replace this process with a container engine, which forwards signals to the server.

    Args:
        store: The champion store; a directory is mounted read-only.
        images: Record of the pushed images; without it, the image that `make images` has built.
        host: Address to listen on.
        port: Port to listen on.
        as_json: Log in JSON.

    Raises:
        ToolMissingError: Neither docker nor podman is installed.
        LocalEnvironmentError: There is no image, or the store cannot be created.
    """
    engine = find_engine(CONTAINER_RUNNERS)
    address = f"[{host}]" if ":" in host else host
    arguments = [
        *(engine, "run", "--rm"),
        *("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
        f"--publish={address}:{port}:{_CONTAINER_PORT}",
        *_store_options(store),
        pushed_image(images, ImageKind.SERVER) or _local_server_image(engine),
        *(["--json"] if as_json else []),
    ]
    os.execv(engine, arguments)  # noqa: S606


def _store_options(store: StoreAddress) -> list[str]:
    """Return the options that give a container the store.

    Values of credentials are not among them, because every user can read a command line.
    """
    if isinstance(store.value, RemoteAddress):
        prefix = _VARIABLE_PREFIXES[store.value.provider]
        names = sorted(name for name in os.environ if name.startswith(prefix))
        return [f"--env=HOUSECTL_STORE={store}", *(f"--env={name}" for name in names)]
    with translate_disk_errors(store.value):  # otherwise docker creates it as root
        store.value.mkdir(parents=True, exist_ok=True)
    # z: with SELinux, a container can only read files that have its label.
    return [f"--volume={store}:{_CONTAINER_STORE}:ro,z"]


def _local_server_image(engine: str) -> str:
    image = local_image(ImageKind.SERVER)
    inspected = subprocess.run(
        [engine, "image", "inspect", image], capture_output=True, check=False
    )
    if inspected.returncode:
        raise LocalEnvironmentError(f"{engine} has no image {image}.", hint="make images")
    return image
