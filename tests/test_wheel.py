import subprocess
import sys
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

from housectl.contract.trainer_code import code_digest
from housectl_server.page.assets import read_assets
from tools.project_directory import ROOT, clean_environment

PACKAGES = {"housectl", "housectl_server", "housectl_suggestion", "housectl_trainer"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    directory = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", directory],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = directory.glob("*.whl")
    return ZipFile(path)


def test_wheel_installs_only_packages_named_after_the_project(wheel: ZipFile) -> None:
    top_level = {Path(name).parts[0] for name in wheel.namelist()}
    assert {name for name in top_level if not name.endswith(".dist-info")} == PACKAGES


def test_wheel_has_the_manifests_next_to_the_code_that_reads_them(wheel: ZipFile) -> None:
    packed = {name for name in wheel.namelist() if name.startswith("housectl/k8s/")}
    assert packed == {
        f"housectl/{path.relative_to(ROOT)}" for path in (ROOT / "k8s").rglob("*.yaml")
    }
    assert "housectl/cluster_setup.py" in wheel.namelist()


def test_wheel_has_the_workflows_and_scripts_that_init_writes(wheel: ZipFile) -> None:
    packed = {name for name in wheel.namelist() if name.startswith("housectl/deploy/")}
    scripts = ("housectl-server.service", "remote.sh", "rollout.sh")
    assert packed == {f"housectl/deploy/{name}" for name in scripts}
    templates = (ROOT / "src/housectl/scaffold/workflows").iterdir()
    assert {f"housectl/scaffold/workflows/{path.name}" for path in templates} <= {*wheel.namelist()}


def test_wheel_has_the_files_of_the_page(wheel: ZipFile) -> None:
    files = {f"housectl_server/page/static/{name}" for name in read_assets()}
    assert "housectl_server/page/static/index.html" in files
    assert files <= {*wheel.namelist()}


def test_installed_wheel_explains_errors(wheel: ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    process = subprocess.run(
        [sys.executable, "-c", "from housectl.cli.main import run; exit(run())", "explain", "data"],
        cwd=tmp_path,
        env={**clean_environment(), "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout.startswith("Status 2. The data is invalid.")
    assert (tmp_path / "housectl/docs/errors.md").read_bytes() == (
        ROOT / "docs/errors.md"
    ).read_bytes()


def test_wheel_has_the_lock_of_the_trainer(wheel: ZipFile) -> None:
    lock = (ROOT / "requirements/trainer.txt").read_bytes()
    assert wheel.read("housectl/requirements/trainer.txt") == lock


def test_installed_trainer_has_the_code_digest_of_the_checkout(
    wheel: ZipFile, tmp_path: Path
) -> None:
    wheel.extractall(tmp_path)
    statement = "from housectl.contract.trainer_code import code_digest; print(code_digest())"
    process = subprocess.run(
        [sys.executable, "-c", statement],
        cwd=tmp_path,
        env={**clean_environment(), "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout.strip() == code_digest()


def test_wheel_marks_all_packages_as_typed(wheel: ZipFile) -> None:
    marked = {name for name in wheel.namelist() if name.endswith("py.typed")}
    assert marked == {f"{package}/py.typed" for package in PACKAGES}


def test_wheel_has_licence_and_metadata(wheel: ZipFile) -> None:
    (metadata,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    (licence,) = [name for name in wheel.namelist() if name.endswith(".dist-info/licenses/LICENSE")]
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()
    fields = Parser().parsestr(wheel.read(metadata).decode())
    assert fields["License-Expression"] == "Apache-2.0"
    for field in ("Author", "Project-URL", "Classifier", "Keywords", "Description"):
        assert fields[field] or fields.get_payload()
