import shutil
import signal
from collections.abc import Iterator

import pytest

from tests.deploy.sshd import find_sshd
from tests.server.browser import find_browser
from tests.servers.moto import moto_server
from tests.servers.s3_proxy import S3Proxy, s3_proxy
from tests.spaces import GOOD, POOR
from tools.project_directory import ProjectDirectory, example
from tools.s3_server import S3Server, s3_server

# Background processes of a shell ignore Ctrl-C, and their child processes inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests with the marks `strace`, `sshd` and `browser` where the program is missing."""
    if item.get_closest_marker("strace") and shutil.which("strace") is None:
        pytest.skip("strace is missing: sudo apt-get install strace (Linux only)")
    if item.get_closest_marker("sshd") and find_sshd() is None:
        pytest.skip("sshd is missing: sudo apt-get install openssh-server")
    if item.get_closest_marker("browser") and find_browser() is None:
        pytest.skip("Chromium is missing: sudo apt-get install chromium")


@pytest.fixture(scope="session")
def project_with_challenger(tmp_path_factory: pytest.TempPathFactory) -> ProjectDirectory:
    """Boston with a poor champion and a good challenger; tests work on copies."""
    project = example(
        ".",
        tmp_path_factory.mktemp("project_with_challenger") / "boston",
        space=POOR,
        budget={"trials": 2},
    )
    project.run_ok("tune", "--name", "poor")
    project.run_ok("promote")
    project.edit_config(space=GOOD)
    project.run_ok("tune", "--name", "good")
    return project


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server, versitygw, of this worker of pytest."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def proxy(s3: S3Server) -> Iterator[S3Proxy]:
    """A proxy before the S3 server, which records requests and injects faults."""
    with s3_proxy(s3) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A second implementation of S3, moto, of this worker of pytest."""
    with moto_server(tmp_path_factory.mktemp("moto") / "moto.log") as server:
        yield server
