"""Programs of others that housectl calls: container engines, and kubectl."""

import shutil
import subprocess
from collections.abc import Sequence

from housectl.errors import ToolMissingError

BUILDERS = ("docker", "podman", "buildah")
RUNNERS = ("docker", "podman")


def find_engine(names: Sequence[str]) -> str:
    """Return the path of the first of these container engines that works here.

    Raises:
        ToolMissingError: None does.
    """
    for name in names:
        path = shutil.which(name)
        if path and (name != "docker" or _has_daemon(path)):
            return path
    if "docker" in names and shutil.which("docker"):
        raise ToolMissingError(
            "docker is installed, but its daemon does not answer.",
            hint="sudo systemctl start docker   # or: sudo apt-get install podman",
        )
    raise ToolMissingError(
        f"This needs {' or '.join(names)}, and none of them is installed.",
        hint="sudo apt-get install podman   # on macOS: brew install podman",
    )


def find_kubectl() -> str:
    """Return the path of kubectl.

    Raises:
        ToolMissingError: It is not installed.
    """
    path = shutil.which("kubectl")
    if path is None:
        raise ToolMissingError(
            "This needs kubectl, which is not installed.",
            hint="sudo snap install kubectl --classic   # on macOS: brew install kubectl",
        )
    return path


def _has_daemon(docker: str) -> bool:
    return subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0
