"""A new command: one module, and one entry in the table of commands."""

import json
import subprocess

import pytest

from tests.extension.source_copy import SourceCopy
from tools.project_directory import ProjectDirectory, clean_environment

pytestmark = pytest.mark.slow

MODULE = '''"""Commands about features."""

from typing import TYPE_CHECKING

from housectl.cli.decorators import pass_project
from housectl.cli.results import Fields

if TYPE_CHECKING:
    from housectl import Project


@pass_project("seed")
def features(project: "Project", /) -> Fields:
    """List the features of the champion.

    Example: housectl features
    """
    names = project.champion().schema.feature_names
    return Fields(fields={"features": names, "seed": project.config.seed})
'''


def test_new_command_runs(source: SourceCopy, project_with_challenger: ProjectDirectory) -> None:
    source.write("src/housectl/cli/features.py", MODULE)
    source.insert(
        "src/housectl/cli/main.py",
        after='    "verify": "serving.verify",\n',
        text='    "features": "features.features",\n',
    )

    def run(*arguments: str) -> str:
        return subprocess.run(
            [source.housectl, *arguments],
            cwd=project_with_challenger.path,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert "List the features of the champion." in run("--help")
    assert "Example: housectl features" in run("features", "--help")
    output = json.loads(run("features", "--seed", "7", "--json"))
    assert output["features"][0] == "CRIM"
    assert output["seed"] == 7
