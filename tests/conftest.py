import signal

import pytest

from tests.spaces import GOOD, POOR
from tools.project_directory import ProjectDirectory, example

# A shell lets what it starts in the background ignore Ctrl-C, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def project_with_challenger(tmp_path_factory: pytest.TempPathFactory) -> ProjectDirectory:
    """Boston with a poor champion and a good challenger; tests work on copies."""
    project = example(
        ".",
        tmp_path_factory.mktemp("project_with_challenger") / "boston",
        space=POOR,
        budget={"trials": 2},
    )
    project.run_ok("tune", "--name", "poor")
    project.run_ok("promote")
    project.edit_config(space=GOOD)
    project.run_ok("tune", "--name", "good")
    return project
