"""A new doctor check: one function and one entry in the list of its module."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.extension.source_copy import SourceCopy
from tools.project_directory import clean_environment, example

pytestmark = pytest.mark.slow

MACHINE = "src/housectl/doctor/machine.py"
FUNCTION = '''

def check_editor() -> str:
    """Check that an editor is configured."""
    raise CheckWarning("No editor is configured.", hint="export EDITOR=vi")
'''


def test_doctor_runs_new_check(source: SourceCopy, tmp_path: Path) -> None:
    source.insert(
        MACHINE,
        after='        Check("python", check_python),\n',
        text='        Check("editor", check_editor),\n',
    )
    end_of_list = '        Check("port", partial(check_port, context)),\n    )\n'
    source.insert(MACHINE, after=end_of_list, text=FUNCTION)
    project = example(".", tmp_path / "boston")
    output = subprocess.run(
        [source.housectl, "doctor", "--json"],
        cwd=project.path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert {
        "check": "editor",
        "result": "warning",
        "found": "No editor is configured.",
        "hint": "export EDITOR=vi",
    } in json.loads(output.stdout)["checks"], output
