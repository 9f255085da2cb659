"""`housectl run` with a store on S3."""

import shutil
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from tests.pipeline.projects import actions, new_deployment
from tests.servers.environment import use_server
from tests.servers.s3_proxy import s3_proxy
from tests.test_end_to_end import serving
from tools.project_directory import ProjectDirectory
from tools.s3_server import s3_server

pytestmark = pytest.mark.slow

# One listing and the records of the four steps, and the record of the challenger's bundle.
MAX_REQUESTS = 8


def test_every_machine_skips_the_steps_of_a_store_on_s3(tmp_path: Path) -> None:
    deployment = new_deployment(tmp_path / "boston")
    other = ProjectDirectory(tmp_path / "other")
    other.path.mkdir()
    for name in ("housectl.yaml", "data.csv"):
        shutil.copy(deployment.project.path / name, other.path)
    with s3_server(tmp_path / "s3") as server, s3_proxy(server) as proxy, use_server(proxy.server):
        store = f"s3://{server.new_bucket()}/boston"
        with serving(deployment.project, deployment.port, HOUSECTL_STORE=store):
            first = deployment.run("--store", store)
        assert first.status == ExitStatus.OK, first.err
        assert actions(first) == ["done"] * 4
        proxy.forget_requests()
        for project in (deployment.project, other):
            again = project.run(*deployment.options, "--store", store)
            assert (again.status, actions(again)) == (ExitStatus.OK, ["skipped"] * 4)
            assert len(proxy.requests) <= MAX_REQUESTS, proxy.requests
            proxy.forget_requests()
    assert not (other.path / ".housectl" / "runs").exists()
