from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from tests.pipeline.projects import Deployment, actions, new_deployment
from tests.test_end_to_end import free_port


@pytest.fixture(scope="session")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """A project whose first run has promoted a poor model; no server was asked yet."""
    deployment = new_deployment(tmp_path_factory.mktemp("run") / "boston")
    output = deployment.run("--to", "promote")
    assert output.status == ExitStatus.OK, output.err
    assert actions(output) == ["done", "done"]
    assert output.json["promoted"] is True
    assert output.json["champion"] == deployment.champion
    return deployment


@pytest.fixture
def deployment(promoted: Deployment, tmp_path: Path) -> Deployment:
    """A copy of the project with a port of its own."""
    return Deployment(promoted.project.copy(tmp_path / "boston"), free_port())
