"""Programs of others: which one is taken, and what is said without them.

The programs are small ones of the tests' own, found on a PATH that has nothing else.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from housectl.pushed_images import PushedImages, write_pushed_images
from tests.test_end_to_end import free_port
from tools.project_directory import HOUSECTL, ROOT, ProjectDirectory, clean_environment, example

PUSHED = PushedImages(trainer="registry.example/t@sha256:1", server="registry.example/s@sha256:2")

# Runs the server as the engine would: what is mounted, published and asked for comes from its
# arguments alone.
ENGINE = f"""#!{sys.executable}
import os, re, sys
arguments = sys.argv[1:]
if arguments[0] != "run":
    sys.exit(0)
text = " ".join(arguments)
host, port = re.search(r"--publish=(.*):(\\d+):8005", text).groups()
store = re.search(r"--volume=(.*):/store:ro", text)[1]
after = arguments[arguments.index({PUSHED.server!r}) + 1 :]
open("engine.txt", "w").write(text)
os.execve(
    sys.executable,
    [sys.executable, "-m", "housectl_server", "--host", host, "--port", port, *after],
    os.environ | {{"HOUSECTL_STORE": store}},
)
"""


@pytest.fixture
def project(tmp_path: Path) -> ProjectDirectory:
    return example(".", tmp_path / "boston")


@pytest.fixture
def path(tmp_path: Path) -> Mapping[str, str]:
    (tmp_path / "bin").mkdir()
    return {"PATH": str(tmp_path / "bin")}


def install(path: Mapping[str, str], name: str, script: str) -> None:
    program = Path(path["PATH"]) / name
    program.write_text(script)
    program.chmod(0o755)


def test_without_an_engine_its_installation_is_the_cure(
    project: ProjectDirectory, path: Mapping[str, str]
) -> None:
    answer = project.run("serve", "--container", **path)
    assert answer.status == ExitStatus.LOCAL_ENVIRONMENT
    assert "docker or podman, and none of them is installed" in answer.err
    assert "apt-get install podman" in answer.err


def test_a_docker_without_its_daemon_is_told_from_none(
    project: ProjectDirectory, path: Mapping[str, str]
) -> None:
    install(path, "docker", "#!/bin/sh\nexit 1\n")
    answer = project.run("serve", "--container", **path)
    assert answer.status == ExitStatus.LOCAL_ENVIRONMENT
    assert "its daemon does not answer" in answer.err


def test_without_an_image_its_making_is_the_cure(
    project: ProjectDirectory, path: Mapping[str, str]
) -> None:
    install(path, "docker", "#!/bin/sh\nexit 1\n")
    install(path, "podman", "#!/bin/sh\nexit 1\n")
    answer = project.run("serve", "--container", **path)
    assert answer.status == ExitStatus.LOCAL_ENVIRONMENT
    assert "podman has no image housectl-server:dev" in answer.err
    assert "make images" in answer.err


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_the_engine_gets_signals_and_gives_the_exit_status(
    project: ProjectDirectory, path: Mapping[str, str], kind: signal.Signals
) -> None:
    install(path, "podman", ENGINE)
    write_pushed_images(project.path / ".housectl" / "images.json", PUSHED)
    server = subprocess.Popen(
        [HOUSECTL, "serve", "--container", "--json", "--port", str(free_port())],
        cwd=project.path,
        env=clean_environment() | path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    assert "listening on" in server.stdout.readline()
    server.send_signal(kind)
    assert server.wait() == ExitStatus.OK
    given = (project.path / "engine.txt").read_text()
    for option in ("--rm", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"):
        assert option in given
    assert f"--volume={project.store}:/store:ro" in given


def test_without_kubectl_its_installation_is_the_cure(
    project: ProjectDirectory, path: Mapping[str, str]
) -> None:
    answer = project.run("cluster", "init", **path)
    assert answer.status == ExitStatus.LOCAL_ENVIRONMENT
    assert "kubectl" in answer.err


def test_without_a_builder_its_installation_is_the_cure(path: Mapping[str, str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tools.build_images"],
        cwd=ROOT,
        env=os.environ | path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == ExitStatus.LOCAL_ENVIRONMENT
    assert "docker or podman or buildah" in ended.stderr
