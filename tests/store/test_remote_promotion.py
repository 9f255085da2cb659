"""Commands on a store in an object store, and the number of their requests."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.s3_proxy import S3Proxy, s3_proxy
from tools.project_directory import ProjectDirectory
from tools.s3_server import S3Server

pytestmark = pytest.mark.slow

MAX_REQUESTS = 10


@pytest.fixture
def proxy(s3: S3Server) -> Iterator[S3Proxy]:
    with s3_proxy(s3) as proxy:
        yield proxy


def comparison_requests(proxy: S3Proxy) -> list[str]:
    return [each.operation for each in proxy.requests if "/comparisons/" in each.key]


def test_promotion_needs_few_requests(
    project_with_challenger: ProjectDirectory, proxy: S3Proxy, tmp_path: Path
) -> None:
    project = project_with_challenger.copy(tmp_path / "boston")
    url = f"s3://{proxy.server.new_bucket()}/houses"
    environment = {**proxy.server.environment, "HOUSECTL_STORE": url}
    project.run_ok("store", "copy", str(project.store), url, **environment)
    proxy.requests.clear()
    project.run_ok("compare", **environment)
    assert comparison_requests(proxy) == ["LIST", "PUT"]
    proxy.requests.clear()
    project.run_ok("promote", **environment)
    assert comparison_requests(proxy) == ["LIST"]
    keys = [(request.operation, request.key) for request in proxy.requests]
    assert len(keys) <= MAX_REQUESTS, keys
    assert len(keys) == len(set(keys))
    details = json.loads((project.path / "deploy_details.json").read_text())
    for model in ("old_model", "prod_model"):
        assert details[model]["uri"].startswith(f"{url}/bundles/{details[model]['version']}")
    history = json.loads(project.run_ok("history", "--json", **environment).out)["history"]
    assert [entry["version"] for entry in history] == [
        details[model]["version"] for model in ("prod_model", "old_model")
    ]
    assert json.loads(project.run_ok("rollback", "--json", **environment).out)["number"] == 3
