import pytest

from tests.projects import GOOD, POOR, ProjectDirectory, example


@pytest.fixture(scope="session")
def contest(tmp_path_factory: pytest.TempPathFactory) -> ProjectDirectory:
    """Boston with a poor champion and a good challenger; tests work on copies."""
    project = example(
        ".", tmp_path_factory.mktemp("contest") / "boston", space=POOR, budget={"trials": 2}
    )
    project.must("tune", "--name", "poor")
    project.must("promote")
    project.change(space=GOOD)
    project.must("tune", "--name", "good")
    return project
