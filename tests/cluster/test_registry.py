"""Images in a real registry: pushed with each builder, recorded, pulled by a pod.

The registry listens on the node's loopback address, where containerd accepts plain HTTP.
"""

import os
import socket
import socketserver
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest

from housectl.backends.katib.volume.pods import VolumePods
from housectl.kube.client import Kube
from housectl.pushed_images import ImageKind, pushed_image
from tests.cluster.pods import new_namespace, run_pod
from tools.build_images.builder import Builder
from tools.dev_cluster.images import SERVER_IMAGE
from tools.dev_cluster.kubectl import kubectl
from tools.dev_cluster.setup import TEST_BED
from tools.project_directory import ROOT, ProjectDirectory, clean_environment, example
from tools.server_process import free_port

pytestmark = pytest.mark.usefixtures("image_store")

TAG = "pushed"
# A pod has to start within this time, unless its image is being pulled.
TIMEOUT_SECONDS = 10
RELAY_DELAY_SECONDS = 6.0

# A fake docker with the commands that the builder calls: podman does the work, and the digest is
# printed in docker's format.
DOCKER = """#!/bin/sh
case $1 in
  --version) echo "Docker version 28.2.2, build e6534b4" ;;
  push) exec podman push --digestfile {state} "$2" ;;
  image) printf '["another.example/image@sha256:0", "{repository}@%s"]' "$(cat {state})" ;;
  *) exec podman "$@" ;;
esac
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty registry."""
    directory = tmp_path_factory.mktemp("registry")
    address = f"127.0.0.1:{free_port()}"
    settings = directory / "registry.yaml"
    settings.write_text(
        f"version: 0.1\n"
        f"storage: {{filesystem: {{rootdirectory: {directory / 'blobs'}}}}}\n"
        f"http: {{addr: '{address}'}}\n"
    )
    process = subprocess.Popen(["docker-registry", "serve", settings], stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://{address}/v2/", process)
        yield address
    finally:
        process.terminate()
        process.wait()


def wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        assert process.poll() is None
        try:
            with closing(urllib.request.urlopen(url)):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(url)


@pytest.fixture
def builder_environment(
    image_store: Mapping[str, str], registry: str, tmp_path: Path
) -> Iterator[Mapping[str, str]]:
    """The environment of builders, with the base image, the images and the registry."""
    settings = tmp_path / "registries.conf"
    settings.write_text(f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n')
    (tmp_path / "bin").mkdir()
    environment = (
        clean_environment()
        | image_store
        | {
            "BUILDAH_ISOLATION": "chroot",
            "CONTAINERS_REGISTRIES_CONF": str(settings),
            "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        }
    )
    yield environment
    names = [f"housectl-{kind}:{TAG}" for kind in ImageKind]
    subprocess.run(["buildah", "rmi", *names], env=environment, check=False, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> ProjectDirectory:
    return example(".", tmp_path / "boston")


def test_pod_runs_the_pushed_image(
    registry: str, builder_environment: Mapping[str, str], project: ProjectDirectory
) -> None:
    repository = f"{registry}/team"
    variables = {"HOUSECTL_PROJECT": str(project.path), "PYTHON": sys.executable}
    subprocess.run(
        ["make", "images", "BUILDER=buildah", f"TAG={TAG}", f"PUSH={repository}"],
        cwd=ROOT,
        env=builder_environment | variables,
        check=True,
    )
    pushed = {
        kind: pushed_image(project.path / ".housectl" / "images.json", kind) for kind in ImageKind
    }
    for kind, reference in pushed.items():
        assert str(reference).startswith(f"{repository}/housectl-{kind}@sha256:")
    trainer = str(pushed[ImageKind.TRAINER])
    with new_namespace() as namespace:
        command = ["python", "-m", "housectl_trainer", "--help"]
        assert "Train trials, and seal models into bundles." in run_pod(namespace, trainer, command)
    subprocess.run([TEST_BED / "image", "rm", trainer], check=True)
    assert f"image: {trainer}" in project.run_ok("render", "--backend", "katib").out


def test_wait_for_pod_continues_during_image_pull(
    namespace: str,
    registry: str,
    builder_environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in builder_environment.items():
        monkeypatch.setenv(name, value)
    pushed = Builder(("buildah",)).push(SERVER_IMAGE, repository=f"{registry}/slow", tag="dev")
    with slow_relay(registry) as relay:
        image = pushed.replace(registry, relay)
        kube = Kube(None, namespace)
        pods = VolumePods(kube=kube, pvc="model-storage", image=image, timeout=TIMEOUT_SECONDS)
        with pods.running(read_only=True) as pod:
            assert kubectl("get", f"pod/{pod}", f"--namespace={namespace}", "--output=name")
    subprocess.run([TEST_BED / "image", "rm", image], check=True)


@contextmanager
def slow_relay(registry: str) -> Iterator[str]:
    """The address of a relay that delays every connection to a registry."""
    host, _, port = registry.partition(":")

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            time.sleep(RELAY_DELAY_SECONDS)
            with socket.create_connection((host, int(port))) as upstream:
                Thread(target=copy_stream, args=(self.request, upstream), daemon=True).start()
                copy_stream(upstream, self.request)

    with socketserver.ThreadingTCPServer((host, 0), Relay) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"{host}:{server.server_address[1]}"
        server.shutdown()


def copy_stream(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("builder", ["docker", "podman", "docker-that-is-podman"])
def test_digest_equals_that_of_the_registry(
    builder: str,
    registry: str,
    builder_environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in builder_environment.items():
        monkeypatch.setenv(name, value)
    programs = Path(builder_environment["PATH"].split(os.pathsep)[0])
    (programs / "docker-that-is-podman").symlink_to("/usr/bin/podman")
    docker = programs / "docker"
    docker.write_text(DOCKER.format(state=programs / "digest", repository=f"{registry}/{builder}"))
    docker.chmod(0o755)
    reference = Builder((builder,)).push(
        SERVER_IMAGE, repository=f"{registry}/{builder}", tag="dev"
    )
    subprocess.run(["buildah", "rmi", f"{registry}/{builder}:dev"], check=False)
    name, _, digest = reference.partition("@")
    assert name == f"{registry}/{builder}"
    types = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    url = f"http://{registry}/v2/{builder}/manifests/{digest}"
    with closing(urllib.request.urlopen(urllib.request.Request(url, headers=types))) as response:
        assert response.headers["Docker-Content-Digest"] == digest
