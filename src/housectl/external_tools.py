"""External programs that housectl runs: container engines, and kubectl."""

import shutil
import subprocess
from collections.abc import Sequence

from housectl.errors import ToolMissingError

IMAGE_BUILDERS = ("docker", "podman", "buildah")
CONTAINER_RUNNERS = ("docker", "podman")


def find_engine(names: Sequence[str]) -> str:
    """Return the path of the first of these container engines that works.

    Raises:
        ToolMissingError: None of them works.
    """
    for name in names:
        path = shutil.which(name)
        if path and (name != "docker" or _daemon_responds(path)):
            return path
    if "docker" in names and shutil.which("docker"):
        raise ToolMissingError(
            "docker is installed, but its daemon does not respond.",
            hint="sudo systemctl start docker   # or: sudo apt-get install podman",
        )
    raise ToolMissingError(
        f"No container engine is installed: {' or '.join(names)} is required.",
        hint="sudo apt-get install podman   # on macOS: brew install podman",
    )


def find_kubectl() -> str:
    """Return the path of kubectl.

    Raises:
        ToolMissingError: kubectl is not installed.
    """
    path = shutil.which("kubectl")
    if path is None:
        raise ToolMissingError(
            "kubectl is not installed.",
            hint="sudo snap install kubectl --classic   # on macOS: brew install kubectl",
        )
    return path


def _daemon_responds(docker: str) -> bool:
    return subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0
