"""Rollout of a server image on a host, locally and over ssh, with processes of the real server.

Programs of this directory replace docker and systemctl; ssh, sshd and ssh-agent are the real ones.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from tests.deploy.host import (
    BROKEN,
    DEPLOY,
    GOOD,
    NEWER,
    REPOSITORY,
    UNIT,
    UNKNOWN,
    Host,
    server_host,
)
from tests.deploy.sshd import SshServer, generate_key, ssh_server
from tests.server.running import wait_until
from tests.test_end_to_end import free_port
from tools.project_directory import HOUSECTL, ProjectDirectory, clean_environment

pytestmark = [pytest.mark.slow, pytest.mark.sshd]

Completed = subprocess.CompletedProcess[str]


@pytest.fixture
def host(project_with_challenger: ProjectDirectory, tmp_path: Path) -> Iterator[Host]:
    with server_host(tmp_path / "host", store=str(project_with_challenger.store)) as host:
        yield host


@pytest.fixture
def ssh(host: Host, tmp_path: Path) -> Iterator[SshServer]:
    directory = tmp_path / "ssh"
    directory.mkdir()
    with ssh_server(directory, command=host.command, forwarded_port=host.port) as server:
        yield server


def run(script: str, *arguments: str, environment: Mapping[str, str]) -> Completed:
    return subprocess.run(
        [DEPLOY / script, *arguments],
        env=clean_environment() | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def roll_out(host: Host, digest: str) -> Completed:
    return run("rollout.sh", digest, environment=host.environment)


def is_ready(host: Host) -> bool:
    response = httpx.get(f"http://127.0.0.1:{host.port}/health/ready", trust_env=False)
    return response.status_code == 200


@pytest.mark.parametrize("variant", ["docker", "systemd"])
def test_broken_image_is_replaced_by_the_last_ready_one(host: Host, variant: str) -> None:
    if variant == "systemd":
        host.add_unit()
    assert roll_out(host, GOOD).stdout == f"{REPOSITORY}@{GOOD} is ready.\n"
    assert roll_out(host, GOOD).stdout == f"{REPOSITORY}@{GOOD} runs already.\n"
    failed = roll_out(host, BROKEN)
    assert failed.returncode == 1
    message = f"{REPOSITORY}@{BROKEN} did not become ready; {REPOSITORY}@{GOOD} runs again."
    assert f"error: {message}" in failed.stderr
    assert (host.settings / "image.env").read_text() == f"IMAGE={REPOSITORY}@{GOOD}\n"
    assert is_ready(host)
    assert roll_out(host, NEWER).returncode == 0
    assert is_ready(host)


def test_unknown_image_changes_nothing(host: Host) -> None:
    roll_out(host, GOOD)
    before = (host.bin / "housectl-server.pid").read_text()
    failed = roll_out(host, UNKNOWN)
    assert failed.returncode == 1
    assert "cannot be pulled" in failed.stderr
    assert (host.bin / "housectl-server.pid").read_text() == before
    assert is_ready(host)


def test_killed_rollout_leaves_no_lock_and_keeps_the_last_ready_image(host: Host) -> None:
    roll_out(host, GOOD)
    killed = subprocess.Popen(
        [DEPLOY / "rollout.sh", BROKEN],
        env=clean_environment() | host.environment,
        start_new_session=True,
    )
    record = host.settings / "image.env"
    wait_until(lambda: BROKEN in record.read_text() or killed.poll() is not None)
    os.killpg(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert (host.settings / "ready.env").read_text() == f"IMAGE={REPOSITORY}@{GOOD}\n"
    assert roll_out(host, GOOD).stdout == f"{REPOSITORY}@{GOOD} is ready.\n"
    assert is_ready(host)


@pytest.mark.parametrize(
    "digest", ["", "latest", f"{GOOD}0", f"{GOOD}; id", f"x@{GOOD}", f"{GOOD}\nid", GOOD.upper()]
)
def test_only_digests_are_accepted(host: Host, digest: str) -> None:
    failed = roll_out(host, digest)
    assert failed.returncode == 1
    assert "is invalid" in failed.stderr
    assert not (host.settings / "image.env").exists()


def test_rollout_over_ssh_reads_the_recorded_digest(
    host: Host, ssh: SshServer, tmp_path: Path
) -> None:
    scripts = tmp_path / "deploy"
    scripts.mkdir()
    (scripts / "remote.sh").symlink_to(DEPLOY / "remote.sh")
    images = {"trainer": "registry.example/t@sha256:1", "server": f"{REPOSITORY}@{GOOD}"}
    (scripts / "images.json").write_text(json.dumps(images))
    process = subprocess.run(
        [scripts / "remote.sh", "rollout"],
        env=clean_environment() | ssh.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout == f"{REPOSITORY}@{GOOD} is ready.\n"
    assert is_ready(host)


def test_command_verifies_the_server_through_the_tunnel(
    host: Host, ssh: SshServer, project_with_challenger: ProjectDirectory
) -> None:
    roll_out(host, GOOD)
    port = free_port()
    tunnel = {**ssh.environment, "DEPLOY_PORT": str(host.port), "TUNNEL_PORT": str(port)}
    verify = (str(HOUSECTL), "verify", "-C", str(project_with_challenger.path), "--p99-ms", "5000")
    through_tunnel = ("--url", f"http://127.0.0.1:{port}")
    verified = run("remote.sh", "tunnel", *verify, *through_tunnel, environment=tunnel)
    assert verified.returncode == 0, verified.stderr
    closed = run("remote.sh", "tunnel", "false", environment=tunnel)
    assert closed.returncode == 1, closed.stderr
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}", trust_env=False)


def test_command_behind_the_tunnel_gets_no_key(host: Host, ssh: SshServer) -> None:
    ports = {"DEPLOY_PORT": str(host.port), "TUNNEL_PORT": str(free_port())}
    # The path of a socket is limited to about 100 bytes.
    with TemporaryDirectory(dir="/tmp") as temporary:
        environment = {**ssh.environment, **ports, "TMPDIR": temporary}
        printed = run("remote.sh", "tunnel", "env", environment=environment)
        assert not [*Path(temporary).iterdir()]
    assert printed.returncode == 0, printed.stderr
    assert f"DEPLOY_HOST={ssh.url}" in printed.stdout
    assert "PRIVATE KEY" not in printed.stdout
    assert "SSH_AUTH_SOCK" not in printed.stdout


def test_restricted_key_reaches_no_other_port(ssh: SshServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = free_port()
        ports = {"DEPLOY_PORT": str(other.getsockname()[1]), "TUNNEL_PORT": str(port)}
        script = f"import socket; print(socket.create_connection(('127.0.0.1', {port})).recv(1))"
        process = run(
            "remote.sh", "tunnel", sys.executable, "-c", script, environment=ssh.environment | ports
        )
        other.settimeout(0)
        with pytest.raises(BlockingIOError):
            other.accept()
    assert process.stdout == "b''\n"


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("", "The server image '' has no digest."),
        (f"{REPOSITORY}:latest", f"The server image '{REPOSITORY}:latest' has no digest."),
    ],
)
def test_image_without_digest_is_refused_before_the_connection(
    tmp_path: Path, image: str, message: str
) -> None:
    generate_key(tmp_path / "key")
    environment = {
        "DEPLOY_HOST": "unused",
        "DEPLOY_KNOWN_HOSTS": "unused",
        "DEPLOY_SSH_KEY": (tmp_path / "key").read_text(),
        "SERVER_IMAGE": image,
    }
    failed = run("remote.sh", "rollout", environment=environment)
    assert failed.returncode == 2
    assert message in failed.stderr
    assert "hint: export SERVER_IMAGE=REPOSITORY@sha256:DIGEST" in failed.stderr


def test_option_of_ssh_is_no_host() -> None:
    environment = {
        "DEPLOY_HOST": "-oProxyCommand=false",
        "DEPLOY_KNOWN_HOSTS": "unused",
        "DEPLOY_SSH_KEY": "unused",
    }
    failed = run("remote.sh", "rollout", environment=environment)
    assert failed.returncode == 2
    assert "DEPLOY_HOST is an option of ssh" in failed.stderr


@pytest.mark.parametrize("problem", ["another host", "another key", "no key"])
def test_connection_is_refused(ssh: SshServer, tmp_path: Path, problem: str) -> None:
    generate_key(tmp_path / "other")
    public_key = (tmp_path / "other.pub").read_text()
    changes = {
        "another host": {
            "DEPLOY_KNOWN_HOSTS": f"{ssh.known_hosts.partition(' ')[0]} {public_key}",
            "": "Host key verification failed",
        },
        "another key": {
            "DEPLOY_SSH_KEY": (tmp_path / "other").read_text(),
            "": "Permission denied",
        },
        "no key": {"DEPLOY_SSH_KEY": "", "": "DEPLOY_SSH_KEY is not set"},
    }[problem]
    message = changes.pop("")
    environment = {**ssh.environment, "SERVER_IMAGE": f"{REPOSITORY}@{GOOD}", **changes}
    failed = run("remote.sh", "rollout", environment=environment)
    assert failed.returncode
    assert message in failed.stderr


def test_unit_and_script_start_the_container_with_the_same_options() -> None:
    (service,) = (line for line in _joined(UNIT) if line.startswith("ExecStart="))
    (script,) = (line for line in _joined(DEPLOY / "rollout.sh") if '"$ENGINE" run' in line)
    for option in ("--read-only", "--tmpfs", "--cap-drop", "--security-opt", "--env-file"):
        assert option in service
        assert option in script


def _joined(path: Path) -> list[str]:
    return path.read_text().replace("\\\n", " ").splitlines()
