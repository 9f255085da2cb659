"""The whole way for two data sets: tune, promote, serve, verify, roll back, as real processes."""

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from housectl.contract.families import Family
from housectl.errors import ExitStatus
from housectl.store.local import LocalStore
from housectl.verification.serving import wait_until_serving
from tests.spaces import GOOD
from tools.project_directory import ProjectDirectory, clean_environment, example
from tools.server_process import free_port

pytestmark = pytest.mark.slow

CENTRED = {
    "random-forest": {"max_features": {"min": 0.2, "max": 0.9}, "n_estimators": 20},
    "xgboost": {"learning_rate": {"min": 0.02, "max": 0.2, "log": True}, "n_estimators": 30},
}


@contextmanager
def serving(project: ProjectDirectory, port: int, **environment: str) -> Iterator[str]:
    server = subprocess.Popen(
        [project.housectl, "serve", "--port", str(port)],
        cwd=project.path,
        env=clean_environment() | environment,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/health/live")
        yield url
    finally:
        server.terminate()
        assert server.wait() == 0


def _wait_for(url: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(url)


def predict(url: str, row: dict[str, float]) -> dict[str, float]:
    body = json.dumps(row).encode()
    request = urllib.request.Request(f"{url}/predict", data=body, method="POST")
    request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request) as response:
        prediction: dict[str, float] = json.load(response)
    return prediction


def champion(project: ProjectDirectory) -> str:
    return LocalStore(project.store).require_champion().bundle


def test_boston_is_served_and_verified(
    project_with_challenger: ProjectDirectory, tmp_path: Path
) -> None:
    project = project_with_challenger.copy(tmp_path / "boston")
    port = free_port()
    with serving(project, port) as url:
        checks = project.run_ok("verify", "--url", url, "--p99-ms", "5000", "--json").json
        assert checks["passed"] is True
        project.run_ok("promote")
        wait_until_serving(url, champion(project), timeout=30)
        project.run_ok("verify", "--url", url, "--p99-ms", "5000")
        bundle = LocalStore(project.store).bundle(champion(project))
        golden = bundle.golden.rows[0]
        row = dict(zip(bundle.golden.features, golden.row, strict=True))
        prediction = predict(url, {**row, "B": 396.9})
        assert set(prediction) == {"predicted_price"}
        assert abs(prediction["predicted_price"] - golden.prediction) <= bundle.golden.tolerance


def test_verify_without_server_exits_with_status_8(
    project_with_challenger: ProjectDirectory,
) -> None:
    output = project_with_challenger.run("verify", "--url", f"http://127.0.0.1:{free_port()}")
    assert output.status == ExitStatus.SERVER_UNREACHABLE
    assert "housectl serve" in output.err


def test_busy_port_exits_with_status_7(project_with_challenger: ProjectDirectory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        output = project_with_challenger.run("serve", "--port", str(listener.getsockname()[1]))
    assert output.status == ExitStatus.LOCAL_ENVIRONMENT
    assert "hint:" in output.err


def test_centred_target_and_all_families_are_served(tmp_path: Path) -> None:
    project = example("examples/circuit", tmp_path / "circuit", space=CENTRED, budget={"trials": 6})
    tuned = project.run_ok("tune", "--json").json
    project.run_ok("promote")
    shown = project.run_ok("show", "--json").json["trials"]
    assert isinstance(shown, list)
    assert {trial["family"] for trial in shown} == {*Family}
    assert min(trial["mse"] for trial in shown) == tuned["mse"]
    port = free_port()
    with serving(project, port) as url:
        project.run_ok("verify", "--url", url, "--p99-ms", "5000")
        bundle = LocalStore(project.store).bundle(champion(project))
        assert min(golden.prediction for golden in bundle.golden.rows) < 0
        golden = bundle.golden.rows[-1]
        row = dict(zip(bundle.golden.features, golden.row, strict=True))
        prediction = predict(url, row)
        assert set(prediction) == {"predicted_phase"}
        difference = abs(prediction["predicted_phase"] - golden.prediction)
        assert difference <= bundle.golden.tolerance


def test_next_step_after_a_rejection_leads_to_a_champion(tmp_path: Path) -> None:
    project = example(
        "examples/diabetes",
        tmp_path / "diabetes",
        family="random-forest",
        space={"min_samples_leaf": {"min": 60, "max": 80}, "n_estimators": 5},
        budget={"trials": 2},
    )
    project.run_ok("tune", "--name", "forest")
    rejected = project.run("promote", "--json")
    assert rejected.status == ExitStatus.CHAMPION_KEPT
    assert "A linear model is significantly better" in str(rejected.json["reason"])
    assert LocalStore(project.store).champion() is None
    project.edit_config(space=CENTRED, budget={"trials": 3})
    program, *arguments = str(rejected.json["hint"]).split()
    assert program == "housectl"
    project.run_ok(*arguments)
    accepted = project.run_ok("promote", "--json").json
    low, high = accepted["mean_interval_90"]  # type: ignore[misc]
    assert low < accepted["mean_cv_mse_difference"] < high < 0  # type: ignore[has-type,operator]
    errors = project.run_ok("status", "--json").json
    assert errors["challenger_errors"] == accepted["challenger_errors"]
    assert errors["mean_errors"]["r2"] <= 0 < errors["challenger_errors"]["r2"]  # type: ignore[index]


def test_families_are_compared_on_same_rows(tmp_path: Path) -> None:
    project = example(".", tmp_path / "boston", space=GOOD, budget={"trials": 2})
    project.run_ok("tune", "--name", "forest")
    project.run_ok("promote", "--gate", "holdout")
    project.edit_config(
        family="xgboost", space={"max_depth": {"min": 2, "max": 3}, "n_estimators": 5}
    )
    project.run_ok("tune", "--name", "boosted")
    evidence = {path.name for path in (project.store / "evidence").iterdir()}
    output = project.run("compare", "boosted", "--json")
    assert output.status == ExitStatus.CHAMPION_KEPT
    assert {path.name for path in (project.store / "evidence").iterdir()} == evidence


def test_same_project_yields_same_bundle(tmp_path: Path) -> None:
    digests = set()
    for name in ("one", "two"):
        project = example(".", tmp_path / name, space=GOOD, budget={"trials": 2})
        digests.add(project.run_ok("tune", "--json").json["challenger"])
    assert len(digests) == 1


@pytest.mark.parametrize("name", ["boston-original", "circuit", "diabetes"])
def test_example_passes_doctor(tmp_path: Path, name: str) -> None:
    project = example(f"examples/{name}", tmp_path / name, serve={"port": free_port()})
    checks = project.run_ok("doctor", "--json").json["checks"]
    assert isinstance(checks, list)
    assert {check["result"] for check in checks} <= {"ok", "warning"}
    assert "trainer" in project.run_ok("render").out
