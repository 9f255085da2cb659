"""Bundles of one backend are reproduced on the other, with the recorded image on the cluster."""

import json
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from tests.cluster.backend import SMALL_PODS
from tests.spaces import GOOD
from tools.dev_cluster.images import TRAINER_IMAGE
from tools.project_directory import ProjectDirectory, example

BOOSTED = {"max_depth": {"min": 2, "max": 3}, "n_estimators": 20}


@pytest.fixture(params=["random-forest", "xgboost"])
def project(namespace: str, tmp_path: Path, request: pytest.FixtureRequest) -> ProjectDirectory:
    """A project with a champion of the cluster, of each family."""
    family = request.param
    project = example(
        ".",
        tmp_path / "boston",
        family=family,
        space=GOOD if family == "random-forest" else BOOSTED,
        budget={"trials": 1},
        katib={"namespace": namespace, **SMALL_PODS},
    )
    name = f"reproduce-{family}"
    project.run_ok("tune", "--backend", "katib", "--name", name)
    project.run_ok("promote", name, "--backend", "katib")
    project.run_ok("delete", name, "--backend", "katib")
    return project


def test_bundle_of_cluster_is_reproduced_there_and_here(project: ProjectDirectory) -> None:
    (bundle,) = (project.store / "bundles").iterdir()
    provenance = json.loads((bundle / "bundle.json").read_text())["provenance"]
    assert provenance["image"] == TRAINER_IMAGE
    lock = project.store / "requirements" / f"{provenance['lock']}.txt"
    assert "--hash=sha256:" in lock.read_text()
    for backend in ("katib", "local"):
        output = project.run("reproduce", "--backend", backend, "--json")
        assert output.status == ExitStatus.OK, output
        assert output.json["identical"] is True
        inputs = output.json["differing_inputs"]
        assert isinstance(inputs, list)
        assert {each["input"] for each in inputs} <= {"platform", "processor", "python"}
