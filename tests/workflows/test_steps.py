"""Each step of a workflow runs in a test, or is listed with the reason why it does not."""

import re
import shlex
import subprocess
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.docs.pages import make_targets
from tests.workflows.elsewhere import ELSEWHERE, INSTALLATIONS, SUITES
from tests.workflows.files import TEMPLATES, WORKFLOWS, Step, all_steps, load_workflow
from tests.workflows.test_delivery import EXECUTED
from tools.project_directory import ROOT, clean_environment

STEPS = {step.label: step for step in all_steps() if step.run}
USED = [step for step in all_steps() if "uses" in step.fields]


def test_every_step_runs_in_a_test_or_is_listed() -> None:
    assert STEPS.keys() == EXECUTED | ELSEWHERE
    assert not EXECUTED & ELSEWHERE


def test_labels_are_unique() -> None:
    labels = Counter(step.label for step in all_steps() if step.run)
    assert not [label for label, count in labels.items() if count > 1]


def test_suites_are_lines_that_make_understands(tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(tmp_path / "clone")], check=True)
    for label, line in SUITES.items():
        assert STEPS[label].run == line
        process = subprocess.run(
            [*shlex.split(line), "--dry-run"],
            cwd=tmp_path / "clone",
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        assert ".venv/bin/" in process.stdout, line


def test_make_has_the_targets() -> None:
    text = " ".join(step.run for step in STEPS.values())
    assert {*re.findall(r"\bmake ([a-z-]+)", text)} <= make_targets()


def test_installations_name_existing_extras_and_one_version() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for label in INSTALLATIONS:
        line = STEPS[label].run
        if line != "make install":
            match = re.fullmatch(r"pip install 'housectl\[([\w,]+)\]==HOUSECTL_VERSION'", line)
            assert match, line
            assert {*match[1].split(",")} <= extras.keys()


@pytest.mark.parametrize("step", USED, ids=lambda step: step.label)
def test_actions_are_pinned_and_checkouts_keep_no_token(step: Step) -> None:
    name = step.fields["uses"]
    assert name == "./.github/actions/setup" or re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name)
    if name.startswith("actions/checkout@"):
        assert step.fields["with"]["persist-credentials"] is False


def test_each_action_has_one_version() -> None:
    names = {step.fields["uses"] for step in USED}
    assert len(names) == len({name.partition("@")[0] for name in names})
    for path in (*WORKFLOWS.glob("*.yaml"), *TEMPLATES.glob("*.yaml")):
        for line in path.read_text().splitlines():
            if "uses: " in line and "./" not in line:
                assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_promotions_and_deployments_never_overlap_and_are_never_cancelled() -> None:
    for directory in (WORKFLOWS, TEMPLATES):
        for name, group in (("retrain", "promotion"), ("deploy", "deployment")):
            workflow = load_workflow(directory, name)
            assert workflow.fields["concurrency"] == {"group": group, "cancel-in-progress": False}


@pytest.mark.parametrize("label", ["retrain/train", "user's retrain/train"])
@pytest.mark.parametrize(
    ("status", "expected", "output"), [(0, 0, "promoted=true\n"), (10, 0, ""), (4, 1, "")]
)
def test_search_step_succeeds_if_the_champion_stays(
    tmp_path: Path, label: str, status: int, expected: int, output: str
) -> None:
    command = tmp_path / "housectl"
    command.write_text(f"#!/bin/sh\nexit {status}\n")
    command.chmod(0o755)
    process = subprocess.run(
        ["bash", "-e", "-c", STEPS[f"{label}: Search and promote"].run],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "GITHUB_OUTPUT": str(tmp_path / "output")},
        check=False,
    )
    assert process.returncode == expected
    written = tmp_path / "output"
    assert (written.read_text() if written.exists() else "") == output


def test_secrets_are_only_in_the_environment_of_steps() -> None:
    for step in STEPS.values():
        assert "secrets." not in step.run
        assert "github.token" not in step.run
        assert "${{" not in step.run, "an expression in a script could inject commands"
    secrets = {
        text
        for step in all_steps()
        for text in map(str, step.fields.get("env", {}).values())
        if "secrets." in text
    }
    assert secrets == {"${{ secrets.DEPLOY_SSH_KEY }}", "${{ secrets.HOUSECTL_API_KEY }}"}


def test_commands_of_tests_write_no_summary_of_the_job_that_runs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    assert "GITHUB_STEP_SUMMARY" not in clean_environment()
