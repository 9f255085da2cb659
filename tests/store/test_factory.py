import subprocess
import sys
from pathlib import Path

from tools.project_directory import example

_HISTORY = """
import sys, housectl
housectl.open(sys.argv[1]).history()
print(*{"obstore", "httpx", "kubernetes"} & sys.modules.keys())
"""
_WITHOUT_OBSTORE = """
import sys
sys.modules["obstore"] = None
from housectl.errors import HousectlError
from housectl.store.address import StoreAddress
from housectl.store.factory import open_store
try:
    open_store(StoreAddress.parse("s3://bucket/houses"), cache=None)
except HousectlError as error:
    print(error.message, error.hint)
"""


def output_of(program: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    ).stdout


def test_local_store_needs_no_library_of_object_stores(tmp_path: Path) -> None:
    project = example(".", tmp_path / "boston")
    assert output_of(_HISTORY, str(project.path)).split() == []


def test_missing_library_has_installation_hint() -> None:
    output = output_of(_WITHOUT_OBSTORE)
    assert "the library obstore is missing" in output
    assert "python -m pip install 'housectl[cloud]'" in output
