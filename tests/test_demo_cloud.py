import re
import subprocess
import sys

import pytest

from tools.project_directory import ROOT, clean_environment

_SERVES = re.compile(r"(\S+) serves champion (\d), ([0-9a-f]{12})\.")


@pytest.mark.slow
def test_both_servers_follow_each_step() -> None:
    demo = subprocess.run(
        [sys.executable, "-m", "examples.demo_cloud"],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    served = [match.groups() for match in _SERVES.finditer(demo.stdout)]
    assert len({url for url, _, _ in served}) == 2
    assert [number for _, number, _ in served] == ["1", "1", "2", "2", "2", "2", "3", "3"]
    assert demo.stderr.count("tune skipped") == 1
    versions = {number: version for _, number, version in served}
    assert versions["1"] == versions["3"] != versions["2"]
