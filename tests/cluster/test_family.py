"""Model families go the whole way on a cluster, also one that a registry entry and a module add."""

from pathlib import Path

import pytest

from housectl.pushed_images import ImageKind, local_image
from tests.cluster.backend import SMALL_PODS
from tests.extension.source_copy import SourceCopy, copy_source
from tests.extension.toy_family import NAME, add_toy_family, write_step_data
from tests.test_end_to_end import serving
from tools.dev_cluster.images import build_images_of
from tools.dev_cluster.setup import image_builder
from tools.project_directory import ProjectDirectory
from tools.server_process import free_port

TAG = "toy-family"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> SourceCopy:
    """A source copy with the toy family; the nodes have its trainer."""
    source = copy_source(tmp_path_factory.mktemp("family") / "source")
    add_toy_family(source)
    kinds, python = [ImageKind.TRAINER], source.python
    build_images_of(source.root, kinds, python=python, tag=TAG, builder=image_builder())
    return source


@pytest.fixture
def project(source: SourceCopy, namespace: str, tmp_path: Path) -> ProjectDirectory:
    write_step_data(tmp_path / "step.csv")
    project = ProjectDirectory(tmp_path, housectl=source.housectl)
    project.run_ok("init", "--data", "step.csv", "--target", "y")
    image = local_image(ImageKind.TRAINER, tag=TAG)
    # The registered service of the algorithm `housectl` does not know the toy family.
    katib = {**SMALL_PODS, "namespace": namespace, "image": image, "algorithm": "random"}
    project.edit_config(backend="katib", katib=katib, budget={"trials": 4})
    return project


@pytest.mark.parametrize("family", [NAME, "linear"])
def test_family_is_tuned_promoted_served_and_verified(
    project: ProjectDirectory, family: str
) -> None:
    project.run_ok("tune", "--family", family, "--name", "toy")
    trials = project.run_ok("show", "toy", "--json").json["trials"]
    assert isinstance(trials, list)
    assert {(trial["family"], trial["state"]) for trial in trials} == {(family, "succeeded")}
    promoted = project.run_ok("promote", "--json").json
    assert promoted["promoted"] is True
    with serving(project, free_port()) as url:
        project.run_ok("verify", "--url", url, "--p99-ms", "5000")
    project.run_ok("delete", "toy")


def test_auto_has_a_katib_experiment_for_the_toy_family(project: ProjectDirectory) -> None:
    rendered = project.run_ok("render", "--family", "auto", "--name", "all")
    for short_name in ("linear", "pc", "rf", "xgb"):
        assert f"name: all-{short_name}\n" in rendered.out
