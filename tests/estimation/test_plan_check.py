"""Checks of a plan before a search: `doctor`, `tune` and `run` estimate the time of its trials."""

import shlex
from pathlib import Path

import pytest

import housectl
from housectl.errors import ExitStatus
from housectl.estimation.plan_check import PlanCheck
from tools.project_directory import CommandOutput, ProjectDirectory, copy_boston, example

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def slow_plan(tmp_path_factory: pytest.TempPathFactory) -> ProjectDirectory:
    """Boston with a forest whose trials take longer than their limit."""
    return example(
        ".",
        tmp_path_factory.mktemp("slow") / "boston",
        family="random-forest",
        space={"max_features": {"min": 0.2, "max": 1}, "n_estimators": 20_000},
        limits={"time": "30s"},
    )


def trial_time(output: CommandOutput) -> dict[str, str]:
    checks = output.json["checks"]
    assert isinstance(checks, list)
    (check,) = [check for check in checks if check["check"] == "trial time"]
    return dict(check)


@pytest.mark.parametrize("command", ["tune", "run"])
def test_plan_whose_trials_cannot_end_is_refused(slow_plan: ProjectDirectory, command: str) -> None:
    output = slow_plan.run(command)
    assert output.status == ExitStatus.USAGE
    assert "Trials of random-forest cannot end in time" in output.err
    assert "trial-too-long" in output.err
    assert not list((slow_plan.path / ".housectl").glob("runs/*"))


def test_doctor_refuses_the_plan_and_its_hint_works(
    slow_plan: ProjectDirectory, tmp_path: Path
) -> None:
    project = slow_plan.copy(tmp_path / "boston")
    check = trial_time(project.run("doctor", "--json"))
    assert check["result"] == "failed"
    command, _, comment = check["hint"].partition("#")
    assert "--trial-time" in comment
    program, *arguments = shlex.split(command)
    assert program == "housectl"
    assert arguments == ["tune", "--family", "xgboost", "--space", "default"]
    project.run_ok(*arguments, "--trials", "1")


def test_cluster_is_not_refused_because_of_this_machine(slow_plan: ProjectDirectory) -> None:
    longer = ("--trial-time", "60s")
    assert trial_time(slow_plan.run("doctor", "--json", *longer))["result"] == "failed"
    katib = ("--backend", "katib", *longer)
    elsewhere = slow_plan.run("doctor", "--json", *katib, KUBECONFIG="/missing")
    assert trial_time(elsewhere)["result"] == "warning"


def test_plan_whose_models_no_server_would_load_is_refused(
    slow_plan: ProjectDirectory, tmp_path: Path
) -> None:
    project = slow_plan.copy(tmp_path / "boston")
    space = {"max_features": {"min": 0.2, "max": 1}, "n_estimators": 30_000}
    project.edit_config(space=space, limits={"time": "10h"})
    refused = project.run("tune")
    assert refused.status == ExitStatus.USAGE
    assert "A model of random-forest can have 1.3 GB" in refused.err
    assert "model-too-large" in refused.err


def test_doctor_estimates_each_family_only_near_the_limit(tmp_path: Path) -> None:
    project = copy_boston(tmp_path / "boston")
    families = ("random-forest", "xgboost", "linear")
    for limit, estimated in (("10m", False), ("3m", True)):
        check = trial_time(
            project.run("doctor", "--json", "--family", "auto", "--trial-time", limit)
        )
        assert check["result"] == "ok"
        assert all((family in check["found"]) is estimated for family in families), check
        assert ("A typical trial takes less than " in check["found"]) is not estimated


def test_estimate_is_reported_unless_trials_are_far_from_their_limit(tmp_path: Path) -> None:
    project = example(".", tmp_path / "boston", family="linear")
    for limit, reports in (("0.5s", 1), ("10m", 0)):
        context = housectl.open(project.path, settings={"limits.time": limit}).context
        received: list[object] = []
        warned: list[str] = []
        PlanCheck(is_local=True).run(
            context.experiment("linear"),
            context.write_inputs(),
            report=received.append,
            warn=lambda message, _, warned=warned: warned.append(message),
        )
        assert (len(received), warned) == (reports, [])
