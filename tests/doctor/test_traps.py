"""Traps in data: `init` notes them, and `doctor` warns of them."""

import random
from pathlib import Path

from housectl.errors import ExitStatus
from tools.project_directory import ProjectDirectory

ROWS = 150
SECRET = "secret"


def write_project(directory: Path) -> ProjectDirectory:
    """Write a file with a leaked target, equal rows, and a text that must not be shown."""
    rng = random.Random(1)
    rows = [
        (round(rng.uniform(20, 90), 1), rng.randint(1, 9), round(rng.gauss(3000, 800), 2))
        for _ in range(ROWS)
    ]
    lines = [
        f"{area},{rooms},{price * 0.92:.2f},{SECRET} {number},{price}"
        for number, (area, rooms, price) in enumerate([*rows, *rows[:30]])
    ]
    text = "\n".join(["area,rooms,price_eur,owner,price", *lines])
    (directory / "data.csv").write_text(text + "\n")
    return ProjectDirectory(directory)


def test_init_and_doctor_name_each_trap(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    drafted = project.run_ok("init", "--data", "data.csv", "--target", "price", "--json")
    notes = str(drafted.json)
    assert "price_eur gives price almost exactly, in another unit." in notes
    assert "30 of 180 rows have the features and the price of an earlier row" in notes
    output = project.run("doctor", "--json", "--backend", "local")
    assert output.status == ExitStatus.OK
    checks = {check["check"]: check for check in output.json["checks"]}
    assert checks["leaked target"]["result"] == "warning"
    assert checks["leaked target"]["hint"].startswith("Move price_eur to `exclude:`")
    assert checks["equal rows"]["result"] == "warning"
    assert checks["target values"]["result"] == "ok"
    assert SECRET not in output.out


def test_hint_against_a_leaked_target_works(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    project.run_ok("init", "--data", "data.csv", "--target", "price")
    project.edit_config(
        features={"area": {"min": 20, "max": 90}, "rooms": {"min": 1, "max": 9}},
        exclude={"owner": "text", "price_eur": "the price in another currency"},
    )
    output = project.run("doctor", "--json", "--backend", "local")
    checks = {check["check"]: check for check in output.json["checks"]}
    assert checks["leaked target"]["result"] == "ok"
