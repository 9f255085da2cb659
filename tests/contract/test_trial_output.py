"""The output directory of a trial."""

from collections.abc import Callable
from pathlib import Path

import pytest

from housectl.contract.families import Family
from housectl.contract.files import file_digest
from housectl.contract.metrics import Metrics
from housectl.contract.recipe import Recipe, Split
from housectl.contract.trial_output import (
    add_model,
    has_model,
    read_trial_output,
    remove_model,
    remove_trial_output,
    write_trial_output,
)
from housectl.errors import BundleError

METRICS = Metrics(mse=2.0, fold_mses=(1.0, 3.0))
RECIPE = Recipe(
    family=Family.XGBOOST,
    assignment={"n_estimators": 5},
    data="0" * 64,
    features=("a",),
    target="b",
    split=Split(),
    seed=1,
    libraries={"xgboost": "1"},
)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    output = tmp_path / "0007"
    write_trial_output(output, metrics=METRICS, recipe=RECIPE, model=b"trees")
    return output


def test_output_is_read_as_it_was_written(output: Path) -> None:
    read = read_trial_output(output)
    assert (read.metrics, read.recipe) == (METRICS, RECIPE)
    assert read.model_sha256 == file_digest(output / "model.ubj")


def test_model_is_added_and_removed(output: Path, tmp_path: Path) -> None:
    later = tmp_path / "0008"
    write_trial_output(later, metrics=METRICS, recipe=RECIPE)
    assert read_trial_output(later).model_sha256 is None
    add_model(later, Family.XGBOOST, b"trees")
    assert has_model(later, Family.XGBOOST)
    assert read_trial_output(later) == read_trial_output(output)
    remove_model(later, Family.XGBOOST)
    remove_model(later, Family.XGBOOST)
    assert {path.name for path in later.iterdir()} == {"metrics.json", "recipe.json"}


def test_output_of_an_interrupted_run_is_removed(output: Path, tmp_path: Path) -> None:
    remove_trial_output(output)
    assert list(tmp_path.iterdir()) == []
    other = tmp_path / "other"
    other.mkdir()
    remove_trial_output(other)
    assert other.exists()


def damage_file(file: Path) -> None:
    file.write_bytes(b"{")


@pytest.mark.parametrize("damage", [damage_file, Path.unlink])
@pytest.mark.parametrize("name", ["metrics.json", "recipe.json", "model.ubj"])
def test_damaged_output_is_rejected_with_the_trials_name(
    output: Path, name: str, damage: Callable[[Path], None]
) -> None:
    damage(output / name)
    with pytest.raises(BundleError, match="The output of 0007 is invalid") as caught:
        read_trial_output(output)
    assert caught.value.hint.startswith("housectl tune")
