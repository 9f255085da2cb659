"""The output directory of a trial: metrics, recipe, and the model with its checksum."""

from dataclasses import dataclass
from pathlib import Path

from msgspec import UNSET

from housectl.contract.checksum import checksum_path, verified_digest, with_checksum
from housectl.contract.families import Family
from housectl.contract.files import atomic_directory, atomic_write, remove_tree
from housectl.contract.inputs import RECIPE_FILE
from housectl.contract.metrics import METRICS_FILE, Metrics
from housectl.contract.recipe import Recipe
from housectl.contract.record import MalformedRecordError
from housectl.contract.regular_files import read_regular
from housectl.contract.temp_files import remove_temp_files_of
from housectl.errors import BundleError


@dataclass(frozen=True, kw_only=True)
class TrialOutput:
    """The verified output of a trial; without a model, `model_sha256` is missing."""

    metrics: Metrics
    recipe: Recipe
    model_sha256: str | None


def write_trial_output(
    output: Path, *, metrics: Metrics, recipe: Recipe, model: bytes | None = None
) -> None:
    """Write a trial's output atomically, with its model if there is one.

    Raises:
        LocalEnvironmentError: The directory cannot be written.
    """
    files = {METRICS_FILE: metrics.to_json(), RECIPE_FILE: recipe.to_json()}
    if model is not None:
        files |= with_checksum(recipe.family.definition.native_file, model)
    with atomic_directory(output) as directory:
        for name, data in files.items():
            (directory / name).write_bytes(data)


def read_trial_output(output: Path) -> TrialOutput:
    """Read a trial's output, and verify its model against the checksum.

    Args:
        output: The directory, which is named after its trial.

    Raises:
        BundleError: The output is incomplete or altered.
        NewerFormatError: A newer housectl wrote the output.
    """
    try:
        recipe = Recipe.from_json(read_regular(output / RECIPE_FILE))
        return TrialOutput(
            metrics=Metrics.from_json(read_regular(output / METRICS_FILE)),
            recipe=recipe,
            model_sha256=verified_digest(output / recipe.family.definition.native_file),
        )
    except (OSError, MalformedRecordError) as error:
        raise invalid_output(output.name, str(error)) from error


def read_rival(output: Path) -> tuple[float, ...]:
    """Return the fold MSEs of the trial that another trial has to beat.

    Args:
        output: The directory, which is named after the rival.

    Raises:
        BundleError: The metrics are missing or altered, or the rival was pruned.
        NewerFormatError: A newer housectl wrote the metrics.
    """
    try:
        metrics = Metrics.from_json(read_regular(output / METRICS_FILE))
    except (OSError, MalformedRecordError) as error:
        raise invalid_output(output.name, str(error)) from error
    if metrics.pruned_after is not UNSET:
        raise invalid_output(output.name, "a pruned trial cannot be a rival")
    return metrics.fold_mses


def invalid_output(trial: str, problem: str) -> BundleError:
    """Return the error for an invalid output."""
    return BundleError(
        f"The output of {trial} is invalid: {problem}.",
        hint="housectl tune   # runs a new trial",
    )


def remove_trial_output(output: Path) -> None:
    """Remove what an interrupted run of the same trial has left; another directory stays."""
    remove_temp_files_of(output)
    if (output / RECIPE_FILE).exists():
        remove_tree(output)


def has_model(output: Path, family: Family) -> bool:
    """Return True if the model is complete."""
    return checksum_path(output / family.definition.native_file).exists()


def add_model(output: Path, family: Family, model: bytes) -> None:
    """Add the model, and last its checksum, to an output without them.

    Raises:
        LocalEnvironmentError: They cannot be written.
    """
    for name, data in with_checksum(family.definition.native_file, model).items():
        atomic_write(output / name, data)


def remove_model(output: Path, family: Family) -> None:
    """Remove the checksum, and last the model. Idempotent."""
    model = output / family.definition.native_file
    checksum_path(model).unlink(missing_ok=True)
    model.unlink(missing_ok=True)
