import fcntl
import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from housectl.cores import usable_cores
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
    """Skip tests whose marks name a program that is missing."""
    if item.get_closest_marker("strace") and shutil.which("strace") is None:
        pytest.skip("strace is missing: sudo apt-get install strace (Linux only)")
    if item.get_closest_marker("sshd") and find_sshd() is None:
        pytest.skip("sshd is missing: sudo apt-get install openssh-server")
    if item.get_closest_marker("browser") and find_browser() is None:
        pytest.skip("Chromium is missing: sudo apt-get install chromium")
    if item.get_closest_marker("promtool") and shutil.which("promtool") is None:
        pytest.skip("promtool is missing: sudo apt-get install prometheus")
    if item.get_closest_marker("systemd") and shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing: sudo apt-get install systemd (Linux only)")


def pytest_xdist_auto_num_workers() -> int:
    """Use a worker more than cores, because tests also wait for processes, servers and limits."""
    return usable_cores() + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the modules with the most slow tests first, so that all workers end together."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(scope="session")
def project_with_challenger(tmp_path_factory: pytest.TempPathFactory) -> ProjectDirectory:
    """Boston with a poor champion and a good challenger; tests work on copies.

    The first worker of pytest that needs the project makes it for all workers.
    """
    parent = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        parent = parent.parent
    finished = parent / "project_with_challenger"
    with (parent / "project_with_challenger.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            made = _make_project_with_challenger(tmp_path_factory.mktemp("made") / "boston")
            made.path.rename(finished)
    return ProjectDirectory(finished)


def _make_project_with_challenger(path: Path) -> ProjectDirectory:
    project = example(".", path, space=POOR, budget={"trials": 2})
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
