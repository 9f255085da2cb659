"""`kubectl` on the cluster that KUBECONFIG names, and the files of its test bed."""

import os
import subprocess
from pathlib import Path


def bed_directory() -> Path:
    """Return the directory in which a test bed keeps its files."""
    return Path(os.environ["KUBECONFIG"]).parent


def has_test_bed() -> bool:
    """Return True if a test bed runs the cluster; only engines with its settings see its images."""
    return (bed_directory() / "cache" / "containers.conf").exists()


def kubectl_environment() -> dict[str, str]:
    """Return a PATH that includes a test bed's kubectl."""
    return {"PATH": f"{os.environ['PATH']}{os.pathsep}{bed_directory() / 'bin'}"}


def kubectl(*arguments: str, stdin: str | None = None) -> str:
    """Run kubectl and return its output.

    Raises:
        subprocess.CalledProcessError: kubectl failed; its message is on stderr.
    """
    return subprocess.run(
        ["kubectl", *arguments],  # noqa: S607
        env=os.environ | kubectl_environment(),
        input=stdin,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
