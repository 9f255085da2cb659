"""A new error: one class, and one section of the documentation."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.extension.source_copy import SourceCopy
from tools.project_directory import ROOT, clean_environment, example

pytestmark = pytest.mark.slow

ERROR = '''

class QuotaError(HousectlError):
    """The quota is exceeded."""

    status = ExitStatus.USAGE
    reference = "quota"
'''
SECTION = """
## quota

Status 2. The quota is exceeded.

Hint: delete an experiment with `housectl delete NAME`.
"""
RAISE = """
    from housectl.errors import QuotaError

    raise QuotaError("The quota is exceeded: 0 experiments are left.", hint="housectl list")
"""
LIST_REFERENCES = """
import json
from housectl.errors import HousectlError

def kinds(base):
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)

print(json.dumps([kind.reference for kind in kinds(HousectlError)]))
"""


def run(*command: object, directory: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(argument) for argument in command],
        cwd=directory,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_command_reports_new_error(source: SourceCopy, tmp_path: Path) -> None:
    project = example(".", tmp_path / "boston").path
    source.insert(
        "src/housectl/errors.py", after='    reference = "server-unreachable"\n', text=ERROR
    )
    source.insert(
        "src/housectl/workspace.py", after="    file = _find_project_file(project)\n", text=RAISE
    )
    process = run(source.housectl, "history", "--json", directory=project)
    assert process.returncode == 2, process
    assert json.loads(process.stdout)["error"] == {
        "status": 2,
        "reference": "quota",
        "message": "The quota is exceeded: 0 experiments are left.",
        "hint": "housectl list",
    }
    assert "housectl explain quota" in run(source.housectl, "history", directory=project).stderr
    with (source.root / "docs" / "errors.md").open("a") as page:
        page.write(SECTION)
    explained = run(source.housectl, "explain", "quota", directory=tmp_path)
    assert explained.stdout == SECTION.partition("\n\n")[2]


def test_documentation_lists_new_error(source: SourceCopy, tmp_path: Path) -> None:
    source.insert(
        "src/housectl/errors.py", after='    reference = "server-unreachable"\n', text=ERROR
    )
    references = json.loads(run(source.python, "-c", LIST_REFERENCES, directory=tmp_path).stdout)
    page = (ROOT / "docs" / "errors.md").read_text() + SECTION
    sections = re.findall(r"^## (.*)$", page, flags=re.MULTILINE)
    assert sorted(references) == sorted({*sections} - {"Exit statuses"})
