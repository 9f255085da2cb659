"""A search on a compressed Latin-1 file with decimal commas, a category, dates and gaps."""

import gzip
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

import housectl
from housectl.contract.bundle import Bundle
from housectl.errors import InputsError
from housectl.inputs_finder import InputsFinder
from housectl.store.local import LocalStore
from tools.project_directory import CommandOutput, ProjectDirectory

pytestmark = pytest.mark.slow

FIELDS = {
    "name": "flats",
    "data": "flats.csv",
    "csv": {
        "separator": ";",
        "decimal": ",",
        "thousands": ".",
        "encoding": "latin-1",
        "skip_lines": 2,
        "footer_lines": 1,
        "missing": ["", "k.A."],
    },
    "target": {"name": "Preis"},
    "features": {
        "Fläche": {"min": 20, "max": 200},
        "Zimmer": {"min": 1, "max": 5, "nullable": True},
        "Ort": {"type": "category", "levels": ["Ulm", "Köln", "Bad Tölz"], "nullable": True},
        "Balkon": {"type": "boolean"},
        "verkauft": {
            "type": "datetime",
            "format": "%d.%m.%Y",
            "min": "01.01.2020",
            "max": "28.12.2024",
        },
    },
    "exclude": {"Nr": "identifier"},
    "family": "xgboost",
    "space": {"max_depth": {"min": 2, "max": 3}, "n_estimators": 20},
    "workers": 1,
}
TOWNS = {"Ulm": 0, "Köln": 500, "Bad Tölz": 1200}


def german(value: float) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def make_lines() -> list[str]:
    rng = random.Random(1)
    lines = ["Wohnungen 2024", "", "Nr;Fläche;Zimmer;Ort;Balkon;verkauft;Preis"]
    for number in range(300):
        area, rooms, town = rng.uniform(20, 200), rng.randint(1, 5), rng.choice([*TOWNS])
        price = 30 * area + 100 * rooms + TOWNS[town] + rng.gauss(0, 50)
        cells = (
            f"W-{number:04}",
            german(area),
            "k.A." if number % 9 == 0 else str(rooms),
            "" if number % 11 == 0 else town,
            rng.choice(["yes", "no"]),
            f"{rng.randint(1, 28):02}.{rng.randint(1, 12):02}.{rng.randint(2020, 2024)}",
            "" if number % 50 == 7 else german(price),
        )
        lines.append(";".join(cells))
    return [*lines, "Summe;;;;;;99"]


def write_data(directory: Path, lines: Sequence[str]) -> None:
    content = "\r\n".join(lines).encode("latin-1")
    (directory / "flats.csv").write_bytes(gzip.compress(content))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectDirectory:
    directory = tmp_path_factory.mktemp("flats")
    write_data(directory, make_lines())
    project = ProjectDirectory(directory)
    project.write(FIELDS)
    return project


@pytest.fixture(scope="module")
def tuned(project: ProjectDirectory) -> CommandOutput:
    return project.run_ok("tune", "--trials", "2", "--name", "first")


@pytest.fixture
def bundle(project: ProjectDirectory, tuned: CommandOutput) -> Bundle:
    assert tuned.status == 0
    (digest,) = (path.name for path in (project.store / "bundles").glob("[!.]*"))
    return LocalStore(project.store).bundle(digest)


def finder_of(project: ProjectDirectory) -> InputsFinder:
    return housectl.open(project.path).context.inputs_finder


def test_dropped_rows_are_counted(tuned: CommandOutput) -> None:
    assert "6 rows of " in tuned.err
    assert "were dropped, because they have no value of Preis." in tuned.err


@pytest.mark.usefixtures("tuned")
def test_trainer_reads_the_canonical_file(project: ProjectDirectory) -> None:
    (data,) = project.path.glob(".housectl/inputs/*/data.csv")
    lines = data.read_text().splitlines()
    assert lines[0] == "Fläche,Zimmer,Ort,Balkon,verkauft,Preis"
    assert len(lines) == 1 + 294
    assert sum(",," in line for line in lines) > 50
    published = [path for path in project.path.rglob("*") if path.is_file()]
    published.remove(project.path / "flats.csv")
    assert not [path for path in published if b"W-0042" in path.read_bytes()]


def test_model_learns_all_columns(bundle: Bundle) -> None:
    assert set(bundle.record.recipe.columns) == {"Zimmer", "Ort", "Balkon", "verkauft"}
    spread = 1500**2
    assert bundle.holdout_mse < spread / 10


def test_inputs_are_made_of_the_file_again(
    project: ProjectDirectory, bundle: Bundle, tmp_path: Path
) -> None:
    copy = ProjectDirectory(shutil.copytree(project.path, tmp_path / "copy"))
    shutil.rmtree(copy.path / ".housectl" / "inputs")
    shutil.rmtree(copy.path / ".housectl" / "runs")
    inputs = finder_of(copy).find(bundle)
    (original,) = project.path.glob(".housectl/inputs/[0-9a-f]*")
    assert inputs.digest == original.name

    shutil.rmtree(copy.path / ".housectl" / "inputs")
    plain = "\n".join(line.replace(";", "\t") for line in make_lines()[2:-1])
    (copy.path / "flats.csv").write_text(plain, encoding="utf-8")
    copy.edit_config(csv={"separator": "\t", "decimal": ",", "thousands": ".", "missing": ["k.A."]})
    assert finder_of(copy).find(bundle).digest == original.name

    shutil.rmtree(copy.path / ".housectl" / "inputs")
    (copy.path / "flats.csv").write_text(plain.replace("no", "yes", 1), encoding="utf-8")
    with pytest.raises(InputsError, match="are missing: its data has the sha256"):
        finder_of(copy).find(bundle)


def test_pipeline_knows_the_digest_of_the_data(project: ProjectDirectory, bundle: Bundle) -> None:
    context = housectl.open(project.path).context
    assert context.data_digest() == bundle.record.recipe.data
