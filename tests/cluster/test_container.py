"""`housectl serve --container` with a real engine, podman, and the image of this checkout."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from housectl.errors import ExitStatus
from tests.server.running import wait_until
from tools.dev_cluster.images import SERVER_IMAGE
from tools.project_directory import HOUSECTL, ProjectDirectory, clean_environment
from tools.s3_server import S3Server
from tools.server_process import free_port

# Where podman may not raise limits, it cannot start a container with those that it sets by itself.
# A test bed's base image lacks certificates, without which the client of object stores fails.
ENGINE = """
[containers]
volumes = ["/etc/ssl/certs:/etc/ssl/certs:ro"]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
tmp_dir = "{0}/tmp"
"""
STORAGE = """
[storage]
driver = "overlay"
graphroot = "{0}/layers"
runroot = "{0}/run"
"""

TOUCH = """
for place in / /opt/housectl /store /usr; do
  if touch $place/new 2>/dev/null; then echo $place; fi
done
"""


@pytest.fixture(scope="module")
def engine(
    image_store: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, str]]:
    """The environment of a podman whose only image is the server's."""
    directory = tmp_path_factory.mktemp("podman")
    (directory / "storage.conf").write_text(STORAGE.format(directory))
    (directory / "containers.conf").write_text(ENGINE.format(directory))
    archive = f"docker-archive:{directory / 'server.tar'}:{SERVER_IMAGE}"
    subprocess.run(
        ["buildah", "push", "--quiet", SERVER_IMAGE, archive],
        env=os.environ | image_store,
        check=True,
    )
    environment = clean_environment() | {
        "CONTAINERS_CONF": str(directory / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(directory / "storage.conf"),
    }
    podman(environment, "load", "--quiet", "--input", str(directory / "server.tar"))
    yield environment
    podman(environment, "system", "reset", "--force")


def podman(environment: Mapping[str, str], *arguments: str) -> str:
    return subprocess.run(
        ["podman", *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


@contextmanager
def serving(
    project: ProjectDirectory, engine: Mapping[str, str]
) -> "Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]":
    port = free_port()
    process = subprocess.Popen(
        [HOUSECTL, "serve", "--container", "--port", str(port)], cwd=project.path, env=engine
    )
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        try:
            wait_until(lambda: process.poll() is not None or answers(client))
            assert process.poll() is None
            yield process, client
        finally:
            process.kill()
            process.wait()
            podman(engine, "rm", "--all", "--force")


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health/live").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_leaves_nothing(
    project_with_challenger: ProjectDirectory,
    engine: Mapping[str, str],
    tmp_path: Path,
    kind: signal.Signals,
) -> None:
    project = project_with_challenger.copy(tmp_path / "boston")
    with serving(project, engine) as (process, client):
        champion = project.run_ok("history", "--json").json
        assert client.get("/health").json()["status"] == "ok", champion
        process.send_signal(kind)
        assert process.wait() == ExitStatus.OK
        assert podman(engine, "ps", "--all", "--quiet") == ""


def test_the_container_follows_promotions_and_can_write_nothing(
    project_with_challenger: ProjectDirectory, engine: Mapping[str, str], tmp_path: Path
) -> None:
    project = project_with_challenger.copy(tmp_path / "boston")
    with serving(project, engine) as (_, client):
        project.run_ok("promote")
        wait_until(lambda: client.get("/health").json()["champion"] == 2)
        project.run_ok("verify", "--url", str(client.base_url), "--p99-ms", "10000")
        (name,) = podman(engine, "ps", "--quiet").split()
        inside = ["exec", name, "sh", "-c"]
        assert podman(engine, *inside, "id -u").strip() == "10001"
        assert podman(engine, *inside, TOUCH) == ""
        assert podman(engine, *inside, "grep CapEff /proc/1/status").split()[1].strip("0") == ""
        podman(engine, "healthcheck", "run", name)


def test_the_container_serves_the_champion_of_an_object_store(
    project_with_challenger: ProjectDirectory,
    engine: Mapping[str, str],
    s3_for_pods: S3Server,
    tmp_path: Path,
) -> None:
    project = project_with_challenger.copy(tmp_path / "boston")
    store = f"s3://{s3_for_pods.new_bucket()}/boston"
    remote = {"HOUSECTL_STORE": store, **s3_for_pods.environment}
    project.run_ok("store", "copy", str(project.store), store, **remote)
    with serving(project, {**engine, **remote}) as (_, client):
        assert client.get("/health").json()["champion"] == 1
        project.run_ok("promote", **remote)
        wait_until(lambda: client.get("/health").json()["champion"] == 2)
        project.run_ok("verify", "--url", str(client.base_url), "--p99-ms", "10000", **remote)
