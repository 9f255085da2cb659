"""What is said of a builder that cannot build."""

import subprocess
import sys
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from tests.projects import ROOT

RECORDER = """#!/bin/sh
echo "$PWD $*" >> "$(dirname "$0")/said"
"""


def build(builder: str, *, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.build_images", "--builder", builder],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("builder", ["nosuchbuilder", "./nosuchbuilder"])
def test_a_builder_that_is_none_is_named(builder: str) -> None:
    ended = build(f"{builder} --quick")
    assert ended.returncode == ExitStatus.LOCAL_ENVIRONMENT
    assert f"error: The builder {builder} is not installed" in ended.stderr
    assert "hint:  make images" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_builder_whose_quotes_do_not_end_is_a_wrong_command_line() -> None:
    ended = build("podman 'build")
    assert ended.returncode == ExitStatus.USAGE
    assert "argument --builder: invalid" in ended.stderr


def test_a_builder_is_found_from_where_it_was_named(tmp_path: Path) -> None:
    program = tmp_path / "builder"
    program.write_text(RECORDER)
    program.chmod(0o755)
    ended = build("./builder --quick", cwd=tmp_path)
    assert ended.returncode == ExitStatus.OK, ended.stderr
    said = (tmp_path / "said").read_text().splitlines()
    built = [line for line in said if line.startswith(f"{ROOT} --quick build --file Dockerfile.")]
    assert len(built) == 2
