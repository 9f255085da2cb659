"""The job of retrain.yaml that searches, on a cluster, with a store on an S3 server."""

import subprocess
from pathlib import Path

import pytest

from tests.cluster.test_docs import namespace  # noqa: F401  # a fixture
from tests.workflows.elsewhere import ELSEWHERE, ON_A_CLUSTER
from tests.workflows.files import WORKFLOWS, load_workflow
from tests.workflows.runner import Runner
from tests.workflows.test_delivery import this_repository
from tools.dev_cluster.kubectl import kubectl_environment
from tools.project_directory import ROOT, ProjectDirectory
from tools.s3_server import s3_server

# Only `make images PUSH=…` writes the record that this step copies.
NEEDS_PUSHED_IMAGES = {"retrain/train: Record the images"}


def test_job_searches_on_the_cluster_and_promotes(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name: str = request.getfixturevalue("namespace")
    monkeypatch.setenv("PATH", kubectl_environment()["PATH"])
    checkout = this_repository(tmp_path)
    ProjectDirectory(checkout).edit_config(katib={"cpu": "100m", "memory": "256Mi"})
    (checkout / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / "files").mkdir()
    with s3_server(tmp_path / "s3") as server:
        store = f"s3://{server.new_bucket()}/boston"
        runner = Runner(
            checkout=checkout,
            files=tmp_path / "files",
            values={"vars.HOUSECTL_STORE": store},
            variables={**server.environment, "HOUSECTL_NAMESPACE": name},
            elsewhere=ELSEWHERE - ON_A_CLUSTER | NEEDS_PUSHED_IMAGES,
        )
        assert runner.run(load_workflow(WORKFLOWS, "retrain"), "train") == {"changed": "true"}
    assert runner.executed[1] == "retrain/train: Prepare the cluster"
    status = subprocess.run(
        ["git", "status", "--porcelain", "deploy/deploy_details.json"],
        cwd=checkout,
        check=True,
        capture_output=True,
        text=True,
    )
    assert status.stdout.startswith("?? ")
