"""A model family is one registry entry and one trainer module; all else follows from them."""

import json
from pathlib import Path

import pytest

from housectl.contract.families import Family
from housectl.errors import ExitStatus
from tests.extension.source_copy import SourceCopy
from tests.extension.toy_family import NAME, add_toy_family, write_step_data
from tests.test_end_to_end import predict, serving
from tools.project_directory import ProjectDirectory
from tools.server_process import free_port

pytestmark = pytest.mark.slow


@pytest.fixture
def project(source: SourceCopy, tmp_path: Path) -> ProjectDirectory:
    """A drafted project whose commands run the source copy with the toy family."""
    add_toy_family(source)
    path = tmp_path / "project"
    path.mkdir()
    write_step_data(path / "step.csv")
    project = ProjectDirectory(path, housectl=source.housectl)
    project.run_ok("init", "--data", "step.csv", "--target", "y")
    return project


def test_toy_family_is_tuned_promoted_served_and_verified(project: ProjectDirectory) -> None:
    assert f"or {NAME}" in (project.path / "housectl.yaml").read_text()
    project.run_ok("tune", "--family", NAME, "--trials", "4", "--name", "toy")
    trials = project.run_ok("show", "toy", "--json").json["trials"]
    assert isinstance(trials, list)
    assert [trial["family"] for trial in trials] == [NAME] * 4
    promoted = project.run_ok("promote", "--json").json
    assert promoted["promoted"] is True
    with serving(project, free_port()) as url:
        project.run_ok("verify", "--url", url, "--p99-ms", "5000")
        (prediction,) = predict(url, {"x": 0.9, "z": 0.5}).values()
    assert prediction == pytest.approx(1.0, abs=0.1)
    (bundle,) = (project.store / "bundles").iterdir()
    assert (bundle / "model.json").exists()


def test_auto_searches_the_toy_family_too(project: ProjectDirectory) -> None:
    project.run_ok("tune", "--family", "auto", "--trials", "4", "--name", "all")
    trials = project.run_ok("show", "all", "--json").json["trials"]
    assert isinstance(trials, list)
    assert {trial["family"] for trial in trials} == {NAME, *Family}
    render = ("render", "--family", "auto", "--name", "all", "--backend", "katib")
    assert f"- {NAME}\n" in project.run_ok(*render).out
    assert "name: all-pc" in project.run_ok(*render, "--algorithm", "random").out


def test_help_schema_and_messages_know_the_toy_family(
    project: ProjectDirectory, source: SourceCopy
) -> None:
    assert NAME in project.run_ok("tune", "--help").out
    schema = json.loads(
        source.run("from housectl.project.json_schema import json_schema", "print(json_schema())")
    )
    assert NAME in schema["properties"]["family"]["enum"]
    assert NAME in schema["$defs"]["Family"]["enum"]
    unknown = project.run("tune", "--family", "constant")
    assert unknown.status == ExitStatus.USAGE
    assert f"'{NAME}'" in unknown.err
    project.edit_config(family=NAME, space={"quantile": {"min": 0.2, "max": 1.5}})
    outside = project.run("tune")
    assert "space.quantile.max: found 1.5, expected a number above 0 up to 1" in outside.err
    project.edit_config(space={"quantiles": {"min": 0.2, "max": 0.5}})
    misspelt = project.run("tune")
    assert f"found no parameter of {NAME}, expected one of quantile" in misspelt.err


def test_doctor_checks_the_libraries_of_the_toy_family(
    project: ProjectDirectory, source: SourceCopy
) -> None:
    assert NAME in check_message(project, "training libraries")
    source.insert(
        "src/housectl/contract/families.py",
        after='\n        native_file="model.json",\n',
        text='        libraries=(Library("absent", "absent_library", ("absent-library",)),),\n',
    )
    assert "absent_library" in check_message(project, "training libraries")


def check_message(project: ProjectDirectory, name: str) -> str:
    """Return the message of one of doctor's checks."""
    checks = project.run("doctor", "--json").json["checks"]
    assert isinstance(checks, list)
    (message,) = (check["found"] for check in checks if check["check"] == name)
    return str(message)
