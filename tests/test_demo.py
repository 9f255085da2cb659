import os
import socket
import subprocess
import sys
from pathlib import Path

from housectl import ExitStatus
from tools.project_directory import ROOT, clean_environment, example


def test_demo_refuses_a_busy_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        project = example(".", tmp_path / "boston", serve={"port": port})
        demo = subprocess.run(
            [sys.executable, "-m", "examples.demo"],
            cwd=project.path,
            env={**clean_environment(), "PYTHONPATH": os.fspath(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert demo.returncode == ExitStatus.LOCAL_ENVIRONMENT, demo.stderr
    assert f"Port {port} is busy" in demo.stderr
    assert not (project.path / ".housectl").exists()
