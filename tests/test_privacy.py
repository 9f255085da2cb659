"""Cells of excluded columns are in nothing that housectl prints or publishes."""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from housectl.contract.bundle import Bundle
from housectl.contract.bundle_record import CARD_FILE
from housectl.store.local import LocalStore
from tests.test_end_to_end import serving
from tools.project_directory import ROOT, ProjectDirectory
from tools.server_process import free_port

PATIENTS = ROOT / "tests" / "cases" / "patients.csv"
PERSONAL = ("patient", "phone")
PAGES = ("/docs", "/openapi.json", "/health", "/health/ready", "/model", "/drift", "/metrics")

pytestmark = pytest.mark.slow


def read_rows() -> list[dict[str, str]]:
    return list(csv.DictReader(PATIENTS.read_text().splitlines()))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectDirectory:
    path = tmp_path_factory.mktemp("clinic")
    shutil.copy(PATIENTS, path)
    return ProjectDirectory(path)


@pytest.fixture(scope="module")
def drafted(project: ProjectDirectory) -> str:
    """Return what `init` prints on the terminal."""
    output = project.run_ok("init", "--data", PATIENTS.name, "--target", "cost")
    return output.out + output.err


@pytest.fixture(scope="module")
def outputs(project: ProjectDirectory, drafted: str) -> str:
    """Return the output of the other commands up to a served champion."""
    assert drafted
    commands = (
        ("doctor",),
        ("render", "--trials", "3"),
        ("tune", "--trials", "3", "--name", "first"),
        ("show", "first", "--json"),
        ("status", "first"),
        ("logs", "first"),
        ("compare", "--gate", "holdout"),
        ("promote", "--gate", "holdout"),
        ("history", "--json"),
    )
    outputs = [project.run_ok(*command) for command in commands]
    return "\n".join(output.out + output.err for output in outputs)


def responses(project: ProjectDirectory) -> Iterator[bytes]:
    """Yield pages and answers of the server; the rows have personal cells, as clients send them."""
    row = read_rows()[0]
    valid = {name: value if name in PERSONAL else float(value) for name, value in row.items()}
    del valid["cost"]
    broken = (valid | {"dose": None}, valid | {"age": valid["patient"]}, [[valid]], {})
    with serving(project, free_port()) as url, httpx.Client(base_url=url, trust_env=False) as http:
        for path in (*PAGES, "/missing"):
            yield http.get(path).content
        predicted = http.post("/predict", json=valid)
        assert predicted.status_code == 200
        yield predicted.content
        explained = http.post("/explain", json=valid)
        assert explained.status_code == 200
        yield explained.content
        for body in broken:
            for path in ("/predict", "/explain"):
                refused = http.post(path, json=body)
                assert refused.status_code == 422
                yield refused.content
        yield http.post("/predict", content=json.dumps(valid)[:-1]).content


def champion_of(project: ProjectDirectory) -> Bundle:
    store = LocalStore(project.store)
    return store.bundle(store.require_champion().bundle)


def assert_no_personal_cell(content: bytes, origin: object) -> None:
    cells = [row[name].encode() for row in read_rows() for name in PERSONAL]
    assert not [cell for cell in cells if cell in content], origin


def test_draft_shows_and_writes_kinds_of_excluded_columns(
    project: ProjectDirectory, drafted: str
) -> None:
    assert "excluded  identifier: 150 different texts in 150 rows" in drafted
    assert_no_personal_cell(drafted.encode(), "init")
    text = (project.path / "housectl.yaml").read_text()
    assert '\n  patient: identifier\n  phone: "personal data"\n' in text
    assert_no_personal_cell(text.encode(), "housectl.yaml")


def test_doctor_warns_of_a_reason_with_a_cell(
    project: ProjectDirectory, drafted: str, tmp_path: Path
) -> None:
    assert drafted
    copy = project.copy(tmp_path / "copy")
    reasons = {"patient": "text in line 2: 'Made-Up Person 0'", "phone": "text"}
    copy.edit_config(exclude=reasons)
    output = copy.run_ok("doctor", "--json")
    checks = output.json["checks"]
    assert isinstance(checks, list)
    (check,) = [check for check in checks if check["check"] == "excluded columns"]
    assert check["result"] == "warning"
    assert check["found"].endswith("those of patient.")
    assert_no_personal_cell(output.out.encode(), "doctor")


def test_no_command_prints_a_personal_cell(outputs: str) -> None:
    assert_no_personal_cell(outputs.encode(), "the commands")


def test_no_file_but_the_data_has_a_personal_cell(project: ProjectDirectory, outputs: str) -> None:
    assert outputs
    copies = {PATIENTS.name, "data.csv"}
    files = [path for path in project.path.rglob("*") if path.is_file() and path.name not in copies]
    assert {"MODEL_CARD.md", "bundle.json", "1.json", "golden.json", "deploy_details.json"} <= {
        path.name for path in files
    }
    for path in files:
        assert_no_personal_cell(path.read_bytes(), path)


def test_no_answer_of_the_server_has_a_personal_cell(
    project: ProjectDirectory, outputs: str
) -> None:
    assert outputs
    for content in responses(project):
        assert_no_personal_cell(content, content)


def test_synthetic_golden_rows_publish_no_row_of_the_data(
    project: ProjectDirectory, outputs: str, tmp_path: Path
) -> None:
    assert outputs
    copy = project.copy(tmp_path / "copy")
    copy.edit_config(golden="synthetic")
    sealed = copy.run_ok("tune", "--resume", "first", "--json").json
    challenger = LocalStore(copy.store).bundle(str(sealed["challenger"]))
    patients = {(float(row["age"]), float(row["dose"])) for row in read_rows()}
    assert not patients & {row.row for row in challenger.golden.rows}
    assert challenger.reference is not None
    assert challenger.reference.rounded
    assert "synthetic rows" in challenger.content[CARD_FILE].decode()
    assert "data rows" in champion_of(project).content[CARD_FILE].decode()


def test_draft_does_not_depend_on_personal_cells(
    project: ProjectDirectory, drafted: str, tmp_path: Path
) -> None:
    assert drafted
    (tmp_path / PATIENTS.name).write_text(PATIENTS.read_text().replace("Made-Up", "Invented"))
    other = ProjectDirectory(tmp_path)
    other.run_ok("init", "--data", PATIENTS.name, "--target", "cost")
    ours, theirs = (each.path / "housectl.yaml" for each in (project, other))
    assert ours.read_bytes() == theirs.read_bytes()
