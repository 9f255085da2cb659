"""Promotions against the verdict: `housectl promote --accept REASON`."""

import json
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from housectl.store.layout import entry_key
from tools.project_directory import ProjectDirectory

pytestmark = pytest.mark.slow

REASON = "the new town | has <no> rows yet"


@pytest.fixture
def project(project_with_challenger: ProjectDirectory, tmp_path: Path) -> ProjectDirectory:
    """Boston with a good champion, so that the challenger `poor` is rejected."""
    project = project_with_challenger.copy(tmp_path / "boston")
    project.run_ok("promote", "good")
    return project


def prod_model(project: ProjectDirectory) -> dict[str, object]:
    details = json.loads((project.path / "deploy_details.json").read_text())
    model: dict[str, object] = details["prod_model"]
    return model


def test_override_is_recorded_with_the_verdict_and_shown(project: ProjectDirectory) -> None:
    rejected = project.run("promote", "poor", "--json")
    assert rejected.status == ExitStatus.CHAMPION_KEPT
    assert rejected.json["override"] is None
    output = project.run_ok("promote", "poor", "--accept", f" {REASON} ", "--markdown", "--json")
    promoted = output.json
    assert (promoted["promoted"], promoted["override"]) == (True, REASON)
    assert (promoted["accepted"], promoted["number"]) == (False, 3)
    assert r"| override | promoted against the verdict: the new town \| has &lt;no>" in str(
        promoted["document"]
    )
    newest, before, _ = project.run_ok("history", "--json").json["history"]  # type: ignore[misc]
    assert newest["override"] == REASON
    assert newest["reason"] == rejected.json["reason"]
    assert before["override"] is None
    assert json.loads((project.store / entry_key(3)).read_text())["override"] == REASON
    assert REASON in project.run_ok("history").out
    assert prod_model(project)["override"] == REASON
    comparison = project.run_ok("compare", "good", "--json").json
    assert comparison["champion_override"] == REASON
    table = project.run_ok("compare", "good", "--markdown").out
    assert "| origin of the champion | promoted against the verdict:" in table
    project.run_ok("rollback")
    assert "override" not in prod_model(project)
    assert project.run("compare", "poor", "--json").json["champion_override"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("poor", "--accept", ""), "it is empty"),
        (("poor", "--accept", " \n "), "it is empty"),
        (("poor", "--accept", "x" * 1001), "it has more than 1000 characters"),
        (("good", "--accept", "again"), "is the champion already"),
    ],
    ids=["empty", "blank", "long", "champion"],
)
def test_invalid_override_is_refused(
    project: ProjectDirectory, arguments: tuple[str, ...], message: str
) -> None:
    output = project.run("promote", *arguments)
    assert output.status == ExitStatus.USAGE
    assert message in output.err
    assert "hint:" in output.err
    assert len(list((project.store / "history").glob("[!.]*"))) == 2


def test_override_that_the_verdict_does_not_need_is_not_recorded(
    project_with_challenger: ProjectDirectory, tmp_path: Path
) -> None:
    project = project_with_challenger.copy(tmp_path / "accepted")
    output = project.run_ok("promote", "--accept", REASON, "--json")
    assert (output.json["promoted"], output.json["override"]) == (True, None)
    assert "--accept was not recorded, because the verdict accepts the challenger." in output.err
    assert "override" not in (project.store / entry_key(2)).read_text()
    assert project.run("run", "--accept", REASON).status == ExitStatus.USAGE


def test_tenth_comparison_on_the_same_rows_shows_their_wear(project: ProjectDirectory) -> None:
    (folder,) = (project.store / "comparisons").glob("[!.]*")
    assert len(list(folder.glob("[!.]*"))) == 2
    for number in range(7):
        (folder / f"{number:064}.json").write_text("{}")
    poor = project.run("compare", "poor", "--json").json
    assert (poor["holdout_comparisons"], poor["holdout_wear"]) == (9, None)
    (folder / f"{'f' * 64}.json").write_text("{}")
    for command in ("compare", "promote"):
        worn = project.run(command, "poor", "--json", "--markdown").json
        assert worn["holdout_comparisons"] == 10
        assert "10 challengers were compared on them" in str(worn["holdout_wear"])
        assert "probability of 91%" in str(worn["document"])
