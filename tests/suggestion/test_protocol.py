"""The committed classes of the protocol are those that `make proto` generates."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.project_directory import ROOT

PACKAGE = ROOT / "suggestion" / "housectl_suggestion"
GENERATED = ("suggestion_pb2.py", "suggestion_pb2.pyi")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("generated")
    subprocess.run(
        [
            *(sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={ROOT / 'suggestion'}"),
            *(f"--python_out={target}", f"--pyi_out={target}"),
            str(PACKAGE / "suggestion.proto"),
        ],
        check=True,
    )
    return target / "housectl_suggestion"


@pytest.mark.parametrize("name", GENERATED)
def test_generated_file_is_up_to_date(generated: Path, name: str) -> None:
    assert (generated / name).read_text() == (PACKAGE / name).read_text(), "run make proto"
