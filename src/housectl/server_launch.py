"""Starts the server on this machine, as a process or a container."""

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NoReturn

from housectl.contract.api_keys import read_keys
from housectl.contract.files import translate_disk_errors
from housectl.contract.serving_settings import ServingSettings
from housectl.errors import LocalEnvironmentError, UsageError
from housectl.external_tools import CONTAINER_RUNNERS, find_engine
from housectl.pushed_images import ImageKind, local_image, pushed_image
from housectl.python_process import child_environment, module_argv
from housectl.store.address import Provider, RemoteAddress, StoreAddress

_SERVER_LIBRARIES = ("fastapi", "uvicorn", "housectl_server")

# The values of Dockerfile.server.
_CONTAINER_PORT = 8005
_CONTAINER_STORE = "/store"
_CONTAINER_KEYS = "/run/api-keys"

# Credentials, endpoints and regions are variables with these prefixes.
_VARIABLE_PREFIXES = {Provider.S3: "AWS_", Provider.GCS: "GOOGLE_", Provider.AZURE: "AZURE_"}


@dataclass(frozen=True, kw_only=True)
class ServerOptions(ServingSettings):
    """Options of a server.

    Attributes:
        workers: Number of processes that serve, or `auto`.
    """

    workers: int | Literal["auto"]

    @property
    def arguments(self) -> list[str]:
        """Arguments of a server, except for its address."""
        interval = self.poll_interval
        return [
            *([] if interval is None else ["--poll-interval", f"{interval:g}"]),
            *("--workers", str(self.workers)),
            *("--objective-ms", f"{self.objective_ms:g}"),
            *self._version_arguments,
            *self._access_arguments,
            *(["--access-log"] if self.access_log else []),
            *self._prediction_log_arguments,
            *(["--json"] if self.as_json else []),
        ]

    @property
    def _version_arguments(self) -> list[str]:
        header = self.canary_header
        canary = (
            [f"--canary={self.canary}", f"--percent={self.canary_percent:g}"] if self.canary else []
        )
        return [
            *([f"--shadow={self.shadow}"] if self.shadow else []),
            *canary,
            *([f"--canary-header={header}"] if self.canary and header else []),
        ]

    @property
    def _access_arguments(self) -> list[str]:
        keys, root = self.api_keys_file, self.root_path
        return [
            *([f"--api-keys-file={keys}"] if keys else []),
            *([f"--root-path={root}"] if root else []),
            *([f"--cors-origins={','.join(self.cors_origins)}"] if self.cors_origins else []),
        ]

    @property
    def _prediction_log_arguments(self) -> list[str]:
        if self.prediction_log is None:
            return []
        sample = f"{self.prediction_log_sample:g}"
        return [f"--prediction-log={self.prediction_log}", "--prediction-log-sample", sample]


def exec_server(store: StoreAddress, options: ServerOptions) -> NoReturn:
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
    address = ("--host", options.host, "--port", str(options.port))
    os.execve(  # noqa: S606
        sys.executable,
        [sys.executable, *module_argv("housectl_server", *address, *options.arguments)],
        {**child_environment(), "HOUSECTL_STORE": str(store)},
    )


def exec_server_container(store: StoreAddress, options: ServerOptions, *, images: Path) -> NoReturn:
    """Replace this process with a container engine, which forwards signals to the server.

    Args:
        store: The champion store; a directory is mounted read-only.
        options: Options of the server.
        images: Record of the pushed images; without it, the image that `make images` has built.

    Raises:
        ToolMissingError: Neither docker nor podman is installed.
        LocalEnvironmentError: There is no image, or the store cannot be created.
        UsageError: The file of API keys is missing or invalid, or the options name a prediction
            log, which a container cannot write.
    """
    if options.prediction_log:
        raise UsageError(
            "A container has no file for the prediction log: its file system is read-only.",
            hint="housectl serve   # without --container, or without serve.prediction_log",
        )
    keys = options.api_keys_file
    if keys:
        read_keys(keys)  # docker creates a directory in place of a missing file
        options = replace(options, api_keys_file=Path(_CONTAINER_KEYS))
    engine = find_engine(CONTAINER_RUNNERS)
    address = f"[{options.host}]" if ":" in options.host else options.host
    arguments = [
        *(engine, "run", "--rm"),
        *("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
        f"--publish={address}:{options.port}:{_CONTAINER_PORT}",
        *_store_options(store),
        *([f"--volume={keys.absolute()}:{_CONTAINER_KEYS}:ro,z"] if keys else []),
        pushed_image(images, ImageKind.SERVER) or _local_server_image(engine),
        *options.arguments,
    ]
    os.execv(engine, arguments)  # noqa: S606


def _store_options(store: StoreAddress) -> list[str]:
    """Return the options that give a container the store.

    Values of credentials are not among them, because every user can read a command line.
    """
    if isinstance(store.value, RemoteAddress):
        prefix = _VARIABLE_PREFIXES[store.value.provider]
        names = sorted(name for name in os.environ if name.startswith(prefix))
        files = [os.environ[name] for name in names if Path(os.environ[name]).is_file()]
        return [
            f"--env=HOUSECTL_STORE={store}",
            *(f"--env={name}" for name in names),
            *(f"--volume={path}:{path}:ro" for path in map(os.path.abspath, files)),
        ]
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
