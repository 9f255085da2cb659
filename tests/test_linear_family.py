"""The linear family goes the whole way, alone and among all families."""

import shutil
from pathlib import Path

import pytest

from housectl.contract.bundle_record import CARD_FILE
from housectl.contract.families import Family
from housectl.store.local import LocalStore
from tests.test_end_to_end import champion, predict, serving
from tools.project_directory import ProjectDirectory
from tools.server_process import free_port

pytestmark = pytest.mark.slow

DATA = Path(__file__).parent / "cases" / "linear.csv"


@pytest.fixture
def project(tmp_path: Path) -> ProjectDirectory:
    """A drafted project whose target is nearly a weighted sum of its features."""
    project = ProjectDirectory(tmp_path)
    shutil.copy(DATA, tmp_path / "prices.csv")
    project.run_ok("init", "--data", "prices.csv", "--target", "price")
    return project


def family_of_champion(project: ProjectDirectory) -> Family:
    return LocalStore(project.store).bundle(champion(project)).record.recipe.family


def test_linear_model_is_served_and_continues_its_line(project: ProjectDirectory) -> None:
    project.run_ok("tune", "--family", "linear", "--trials", "3")
    project.run_ok("promote")
    with serving(project, free_port()) as url:
        project.run_ok("verify", "--url", url, "--p99-ms", "5000")
        near, far, farther = (
            predict(url, {"area": area, "rooms": 3, "score": 2})["prediction"]
            for area in (5_000, 20_000, 35_000)
        )
    assert family_of_champion(project) is Family.LINEAR
    assert far - near == pytest.approx(farther - far) == pytest.approx(15_000 * 31, rel=0.05)


def test_auto_finds_the_linear_model_where_it_is_best(project: ProjectDirectory) -> None:
    project.run_ok("tune", "--family", "auto", "--trials", "5", "--name", "all")
    trials = project.run_ok("show", "all", "--json").json["trials"]
    assert isinstance(trials, list)
    families = [trial["family"] for trial in trials]
    assert {family: families.count(family) for family in Family} == {
        Family.LINEAR: 1,
        Family.RANDOM_FOREST: 2,
        Family.XGBOOST: 2,
    }
    project.run_ok("promote")
    assert family_of_champion(project) is Family.LINEAR
    card = LocalStore(project.store).bundle(champion(project)).content[CARD_FILE].decode()
    assert "A linear model extrapolates" in card
