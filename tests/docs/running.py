"""Commands and scripts of the documentation, run in a project's directory."""

import subprocess
import sys
from collections.abc import Mapping

from tools.project_directory import ProjectDirectory

Completed = subprocess.CompletedProcess[str]


def run_in_bash(
    command: str, project: ProjectDirectory, environment: Mapping[str, str]
) -> Completed:
    return subprocess.run(
        ["bash", "-e", "-c", command],
        cwd=project.path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def run_python(script: str, project: ProjectDirectory) -> Completed:
    path = project.path / "example.py"
    path.write_text(script)
    return subprocess.run(
        [sys.executable, "-I", str(path)],
        cwd=project.path,
        capture_output=True,
        text=True,
        check=False,
    )
