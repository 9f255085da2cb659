"""External tools: the choice between them, and the errors without them.

The tests install small fake programs on an otherwise empty PATH.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from housectl.errors import ExitStatus, UsageError
from housectl.pushed_images import PushedImages, write_pushed_images
from housectl.server_launch import ServerOptions, exec_server_container
from housectl.store.address import StoreAddress
from tools.project_directory import HOUSECTL, ROOT, ProjectDirectory, clean_environment, example
from tools.s3_server import S3Server
from tools.server_process import free_port

PUSHED = PushedImages(trainer="registry.example/t@sha256:1", server="registry.example/s@sha256:2")

# Fake engine that runs the server as a process, with the mounts and ports of its arguments.
ENGINE = f"""#!{sys.executable}
import os, re, sys
arguments = sys.argv[1:]
if arguments[0] != "run":
    sys.exit(0)
text = " ".join(arguments)
host, port = re.search(r"--publish=(.*):(\\d+):8005", text).groups()
store = re.search(r"(?:--volume|--env=HOUSECTL_STORE)=(.*?)(?::/store:ro| )", text)[1]
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


def test_missing_engine_has_installation_hint(
    project: ProjectDirectory, path: Mapping[str, str]
) -> None:
    output = project.run("serve", "--container", **path)
    assert output.status == ExitStatus.LOCAL_ENVIRONMENT
    assert "No container engine is installed: docker or podman is required" in output.err
    assert "apt-get install podman" in output.err


def test_docker_without_daemon_differs_from_missing_docker(
    project: ProjectDirectory, path: Mapping[str, str]
) -> None:
    install(path, "docker", "#!/bin/sh\nexit 1\n")
    output = project.run("serve", "--container", **path)
    assert output.status == ExitStatus.LOCAL_ENVIRONMENT
    assert "its daemon does not respond" in output.err


def test_missing_image_has_build_hint(project: ProjectDirectory, path: Mapping[str, str]) -> None:
    install(path, "docker", "#!/bin/sh\nexit 1\n")
    install(path, "podman", "#!/bin/sh\nexit 1\n")
    output = project.run("serve", "--container", **path)
    assert output.status == ExitStatus.LOCAL_ENVIRONMENT
    assert "podman has no image housectl-server:dev" in output.err
    assert "make images" in output.err


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_engine_receives_signals_and_returns_exit_status(
    project: ProjectDirectory, path: Mapping[str, str], kind: signal.Signals
) -> None:
    install(path, "podman", ENGINE)
    write_pushed_images(project.path / ".housectl" / "images.json", PUSHED)
    command = [HOUSECTL, "serve", "--container", "--json", "--port", str(free_port())]
    with subprocess.Popen(
        command,
        cwd=project.path,
        env=clean_environment() | path,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert "listening on" in server.stdout.readline()
        server.send_signal(kind)
    assert server.returncode == ExitStatus.OK
    command_line = (project.path / "engine.txt").read_text()
    for option in (
        "--rm",
        "--read-only",
        "--tmpfs=/tmp",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
    ):
        assert option in command_line
    assert f"--volume={project.store}:/store:ro" in command_line


def test_container_gets_credentials_by_name(
    project: ProjectDirectory, path: Mapping[str, str], s3: S3Server
) -> None:
    config = project.path / "aws config"
    config.write_text("[default]\nregion = us-east-1\n")
    environment = {**s3.environment, "AWS_CONFIG_FILE": str(config)}
    install(path, "podman", ENGINE)
    write_pushed_images(project.path / ".housectl" / "images.json", PUSHED)
    url = f"s3://{s3.new_bucket()}/houses"
    command = [HOUSECTL, "serve", "--container", "--port", str(free_port()), "--store", url]
    with subprocess.Popen(
        [*command, "--poll-interval", "0.5s", "--workers", "2", "--objective-ms", "80"],
        cwd=project.path,
        env=clean_environment() | path | environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr is not None
        assert any("listening on" in line for line in server.stderr)
        server.terminate()
    assert server.returncode == ExitStatus.OK
    command_line = (project.path / "engine.txt").read_text()
    assert f"--env=HOUSECTL_STORE={url}" in command_line
    assert "--poll-interval 0.5 --workers 2 --objective-ms 80" in command_line
    for name, value in s3.environment.items():
        assert f"--env={name} " in command_line
        assert value not in command_line
    assert f"--volume={config}:{config}:ro" in command_line


def test_missing_kubectl_is_reported(project: ProjectDirectory, path: Mapping[str, str]) -> None:
    output = project.run("cluster", "init", **path)
    assert output.status == ExitStatus.LOCAL_ENVIRONMENT
    assert "kubectl" in output.err


def test_missing_image_builder_is_reported(path: Mapping[str, str]) -> None:
    completed = subprocess.run(
        [sys.executable, "-m", "tools.build_images"],
        cwd=ROOT,
        env=os.environ | path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == ExitStatus.LOCAL_ENVIRONMENT
    assert "docker or podman or buildah" in completed.stderr


OPTIONS = ServerOptions(
    host="127.0.0.1",
    port=8005,
    poll_interval=None,
    workers=1,
    objective_ms=50,
    shadow="1b2c",
    canary="0a1b",
    canary_percent=7,
    canary_header="X-User",
    api_keys_file=Path("/etc/keys"),
    root_path="/boston",
    cors_origins=("https://a.example", "https://b.example"),
    access_log=True,
    prediction_log=Path("/log/predictions.jsonl"),
    prediction_log_sample=0.1,
    as_json=False,
)


def test_server_receives_the_options_of_a_canary_and_of_logs() -> None:
    assert OPTIONS.arguments[-11:] == [
        *("--shadow=1b2c", "--canary=0a1b", "--percent=7", "--canary-header=X-User"),
        *("--api-keys-file=/etc/keys", "--root-path=/boston"),
        "--cors-origins=https://a.example,https://b.example",
        *("--access-log", "--prediction-log=/log/predictions.jsonl"),
        *("--prediction-log-sample", "0.1"),
    ]


def test_container_has_no_prediction_log(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="read-only"):
        exec_server_container(StoreAddress.parse(str(tmp_path)), OPTIONS, images=tmp_path)


def test_container_needs_an_existing_file_of_keys(tmp_path: Path) -> None:
    keys = tmp_path / "api-keys"
    options = replace(OPTIONS, prediction_log=None, api_keys_file=keys)
    with pytest.raises(UsageError, match="does not exist"):
        exec_server_container(StoreAddress.parse(str(tmp_path)), options, images=tmp_path)
    assert not keys.exists()
