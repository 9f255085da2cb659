"""The whole way on a cluster: tune, promote, serve, verify, for two data sets."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from housectl.contract.families import Family
from tests.cluster.backend import SMALL_PODS
from tests.test_end_to_end import CENTRED, predict, serving
from tools.project_directory import ROOT, ProjectDirectory, example
from tools.server_process import free_port

TRAINING_LIBRARIES = ("joblib", "onnx", "sklearn", "xgboost")


@pytest.fixture(scope="session")
def bare_housectl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command line in an environment of its own, without anything that trains."""
    directory = tmp_path_factory.mktemp("bare")
    locked = (ROOT / "requirements" / "dev.txt").read_text()
    constraints = directory / "constraints.txt"
    constraints.write_text("\n".join(re.findall(r"^[a-z0-9-]+==[^\s;]+", locked, re.MULTILINE)))
    subprocess.run([sys.executable, "-m", "venv", directory / "venv"], check=True)
    python = directory / "venv" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--constraint", constraints, ROOT], check=True)
    for library in TRAINING_LIBRARIES:
        assert subprocess.run([python, "-c", f"import {library}"], check=False).returncode
    return python.with_name("housectl")


@pytest.fixture
def boston(namespace: str, tmp_path: Path) -> ProjectDirectory:
    return _on_cluster(".", tmp_path / "boston", namespace, budget={"trials": 3})


@pytest.fixture
def circuit(namespace: str, tmp_path: Path) -> ProjectDirectory:
    fields = {"budget": {"trials": 4}, "space": CENTRED}
    return _on_cluster("examples/circuit", tmp_path / "circuit", namespace, **fields)


def _on_cluster(name: str, path: Path, namespace: str, **fields: object) -> ProjectDirectory:
    katib = {"namespace": namespace, **SMALL_PODS}
    return example(name, path, backend="katib", katib=katib, **fields)


def test_a_machine_without_training_libraries_drives_the_whole_way(
    boston: ProjectDirectory, bare_housectl: Path
) -> None:
    tuned = subprocess.run(
        [bare_housectl, "tune", "--name", "bare", "--json"],
        cwd=boston.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tuned.returncode == 0, tuned.stderr
    promoted = subprocess.run([bare_housectl, "promote"], cwd=boston.path, check=False)
    assert promoted.returncode == 0
    with serving(boston, free_port()) as url:
        boston.run_ok("verify", "--url", url, "--p99-ms", "5000")
    boston.run_ok("prune", "bare", "--keep-best", "1")
    boston.run_ok("delete", "bare")
    assert "bare" not in listed(boston)


def listed(project: ProjectDirectory) -> set[str]:
    """Return the names of all experiments in the namespace, which other tests use as well."""
    rows = project.run_ok("list", "--json").json["experiments"]
    assert isinstance(rows, list)
    return {row["experiment"] for row in rows}


def test_two_families_of_another_data_set_go_the_whole_way(circuit: ProjectDirectory) -> None:
    circuit.run_ok("tune", "--name", "both")
    shown = circuit.run_ok("show", "both", "--json").json["trials"]
    assert isinstance(shown, list)
    assert {trial["family"] for trial in shown} == set(Family)
    circuit.run_ok("promote")
    row = {"resistance": 50.0, "frequency": 900.0, "inductance": 0.5, "capacitance": 5.0}
    with serving(circuit, free_port()) as url:
        circuit.run_ok("verify", "--url", url, "--p99-ms", "5000")
        assert predict(url, row).keys() == {"predicted_phase"}
    circuit.run_ok("delete", "both")
