import subprocess
import sys
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from housectl.pushed_images import ImageKind
from tools.project_directory import ROOT

RECORDER = """#!/bin/sh
echo "$PWD $*" >> "$(dirname "$0")/calls"
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
def test_missing_builder_is_named(builder: str) -> None:
    result = build(f"{builder} --quick")
    assert result.returncode == ExitStatus.LOCAL_ENVIRONMENT
    assert f"error: The builder {builder} is not installed" in result.stderr
    assert "hint:  make images" in result.stderr
    assert "Traceback" not in result.stderr


def test_unclosed_quote_in_builder_is_a_usage_error() -> None:
    result = build("podman 'build")
    assert result.returncode == ExitStatus.USAGE
    assert "argument --builder: invalid" in result.stderr


def test_relative_builder_path_is_resolved_from_working_directory(tmp_path: Path) -> None:
    program = tmp_path / "builder"
    program.write_text(RECORDER)
    program.chmod(0o755)
    result = build("./builder --quick", cwd=tmp_path)
    assert result.returncode == ExitStatus.OK, result.stderr
    calls = (tmp_path / "calls").read_text().splitlines()
    built = [line for line in calls if line.startswith(f"{ROOT} --quick build --file Dockerfile.")]
    assert len(built) == len(ImageKind)
