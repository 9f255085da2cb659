import signal

import pytest

from tests.projects import GOOD, POOR, ProjectDirectory, example

# A shell lets what it starts in the background ignore Ctrl-C, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


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
