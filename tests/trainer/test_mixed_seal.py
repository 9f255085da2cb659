"""A data file with categories, dates and missing values: trained, sealed and checked again."""

import csv
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from housectl.contract.bundle import Bundle, read_bundle
from housectl.contract.bundle_record import CARD_FILE
from housectl.contract.cells import write_row
from housectl.contract.evidence import EVIDENCE_FILE, Evidence
from housectl.contract.families import Family
from housectl.contract.inputs import Inputs, write_inputs
from housectl.contract.schema import Transform
from housectl.contract.scorer import open_bundle
from housectl.evidence_check import check_evidence
from tests.trainer.conftest import RunTrainer
from tests.trainer.mixed_data import mixed_dataset

pytestmark = pytest.mark.slow

CASES: dict[Family, tuple[Transform | None, tuple[str, ...]]] = {
    Family.LINEAR: (Transform.LOG, ()),
    Family.RANDOM_FOREST: (Transform.LOG, ("n_estimators=5",)),
    Family.XGBOOST: (None, ("n_estimators=10",)),
}


@pytest.fixture(scope="module", params=CASES)
def family(request: pytest.FixtureRequest) -> Family:
    return Family(request.param)


@pytest.fixture(scope="module")
def inputs(family: Family, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Inputs of a file with the cells of the data set."""
    dataset = mixed_dataset(transform=CASES[family][0])
    schema = dataset.shared.schema
    targets = [*dataset.training.targets.tolist(), *dataset.holdout.targets.tolist()]
    parent = tmp_path_factory.mktemp("mixed")
    path = parent / "mixed.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*schema.feature_names, schema.target.name])
        for row, target in zip(dataset.values.tolist(), targets, strict=True):
            writer.writerow([*write_row(schema, row), target])
    return write_inputs(parent, path, schema=schema, split=dataset.shared.split, seed=3)


@pytest.fixture(scope="module")
def sealed(
    family: Family,
    inputs: Inputs,
    run_trainer: RunTrainer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    output = tmp_path_factory.mktemp("sealed") / "output"
    arguments = ("--output", output, "--family", family, *CASES[family][1])
    process = run_trainer("seal", inputs, *arguments)
    assert process.returncode == 0, process.stderr
    return output


@pytest.fixture(scope="module")
def bundle(sealed: Path) -> Bundle:
    return read_bundle(sealed / "bundle")


def test_bundle_repeats_its_golden_rows(bundle: Bundle) -> None:
    assert open_bundle(bundle)
    cells = [cell for each in bundle.golden.rows for cell in each.row]
    assert {"Köln, Süd", "other", None, True} <= set(cells)


def test_evidence_is_that_of_the_graph(sealed: Path, bundle: Bundle, inputs: Inputs) -> None:
    evidence = Evidence.from_json((sealed / EVIDENCE_FILE).read_bytes())
    check_evidence(bundle, evidence, inputs, hint="")
    assert evidence.model.holdout_mse < evidence.mean.holdout_mse


def dates_of(bundle: Bundle) -> tuple[datetime, datetime]:
    sold = bundle.record.schema.features[-1]
    return datetime.fromtimestamp(sold.minimum, UTC), datetime.fromtimestamp(sold.maximum, UTC)


def test_card_describes_types_levels_and_gaps(bundle: Bundle) -> None:
    card = bundle.content[CARD_FILE].decode()
    assert "| `class` | category |  | 3 levels: `A`, `B`, `C`; other texts are refused" in card
    assert "| `pool` | boolean |  | false, true |" in card
    first, last = (day.strftime("%d.%m.%Y") for day in dates_of(bundle))
    assert f"| `sold` | date |  | {first} to {last} |" in card
    assert " of 300 rows |" in card
    has_logarithm = bundle.record.schema.target.transform is Transform.LOG
    assert ("the logarithm of `price`" in card) is has_logarithm


def test_sealing_again_gives_the_same_digest(
    bundle: Bundle, family: Family, inputs: Inputs, tmp_path: Path
) -> None:
    program = [sys.executable, "-m", "housectl_trainer", "seal", "--inputs", inputs.path]
    environment = {**os.environ, "LOKY_MAX_CPU_COUNT": "1", "PYTHONHASHSEED": "5"}
    subprocess.run(
        [*program, "--output", tmp_path / "again", "--family", family, *CASES[family][1]],
        check=True,
        env=environment,
        capture_output=True,
    )
    assert read_bundle(tmp_path / "again" / "bundle").digest == bundle.digest
