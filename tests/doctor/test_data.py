"""Checks of data files of other formats, with types, gaps and excluded columns."""

import gzip
from pathlib import Path

from housectl.errors import ExitStatus
from tools.project_directory import ProjectDirectory

HEADER = "Nr;Fläche;Zimmer;Ort;verkauft;Preis"
PROJECT = {
    "name": "flats",
    "data": "flats.csv",
    "csv": {"separator": ";", "decimal": ",", "encoding": "latin-1", "missing": ["", "k.A."]},
    "target": {"name": "Preis"},
    "features": {
        "Fläche": {"min": 0, "max": 100},
        "Zimmer": {"min": 1, "max": 3, "nullable": True},
        "Ort": {"type": "category", "levels": ["Ulm"]},
        "verkauft": {
            "type": "datetime",
            "format": "%d.%m.%Y",
            "min": "01.01.2024",
            "max": "05.01.2024",
        },
    },
    "exclude": {"Nr": "identifier, such as W-0042"},
}


def write_project(directory: Path) -> ProjectDirectory:
    rows = [
        f"W-{number:04};{number},5;{'k.A.' if number % 5 else 2};"
        f"{'Köln' if number == 9 else 'Ulm'};{number % 9 + 1:02}.01.2024;"
        f"{'' if number % 50 == 7 else number}"
        for number in range(200)
    ]
    text = "\r\n".join([HEADER, *rows])
    (directory / "flats.csv").write_bytes(gzip.compress(text.encode("latin-1")))
    project = ProjectDirectory(directory)
    project.write(PROJECT)
    return project


def test_doctor_reads_the_file_as_training_does(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    output = project.run("doctor", "--json", "--backend", "local")
    assert output.status == ExitStatus.OK
    checks = {check["check"]: check for check in output.json["checks"]}
    assert checks["data"]["result"] == "warning"
    ranges = "Fläche (0.5 to 199.5), Ort (texts that are no levels), verkauft (01.01.2024 to 09.01"
    assert ranges in checks["data"]["found"]
    assert "those of Nr." in checks["excluded columns"]["found"]
    assert "W-0042" not in output.out


def test_doctor_counts_rows_without_a_target(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    wider = {"min": "01.01.2024", "max": "09.01.2024"}
    features = {
        **PROJECT["features"],
        "Fläche": {"min": 0, "max": 200},
        "Ort": {"type": "category", "levels": ["Ulm", "Köln"]},
        "verkauft": {**PROJECT["features"]["verkauft"], **wider},
    }
    project.edit_config(features=features)
    output = project.run("doctor", "--json", "--backend", "local")
    checks = {check["check"]: check for check in output.json["checks"]}
    assert checks["data"]["result"] == "ok"
    assert checks["data"]["found"].endswith("flats.csv: 196 rows, and 4 without a target")
