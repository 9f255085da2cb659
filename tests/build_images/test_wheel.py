import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from tests.projects import ROOT


def test_the_wheel_has_the_manifests_beside_the_code_that_looks_for_them(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in ZipFile(wheel).namelist() if name.startswith("housectl/k8s/")}
    assert packed == {
        f"housectl/{path.relative_to(ROOT)}" for path in (ROOT / "k8s").rglob("*.yaml")
    }
    assert "housectl/cluster.py" in ZipFile(wheel).namelist()
