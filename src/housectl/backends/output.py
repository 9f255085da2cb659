"""What the trainer has made: copies and checks of it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from housectl.contract.bundle import NATIVE_FILES, read_bundle
from housectl.contract.checksum import checked_digest
from housectl.contract.evidence import EVIDENCE_FILE, Evidence
from housectl.contract.files import TEMPORARY_PREFIX
from housectl.contract.inputs import RECIPE_FILE
from housectl.contract.metrics import METRICS_FILE, Metrics
from housectl.contract.recipe import Recipe
from housectl.contract.record import MalformedRecordError
from housectl.errors import BundleError
from housectl.experiment import Trial

_UNFINISHED = shutil.ignore_patterns(f"{TEMPORARY_PREFIX}*")


def copy_output(output: Path, into: Path) -> None:
    """Copy an output directory into one that is there and empty.

    Raises:
        BundleError: There is no such output.
    """
    try:
        shutil.copytree(output, into, dirs_exist_ok=True, ignore=_UNFINISHED)
    except OSError as error:
        if output.exists():
            raise
        raise BundleError(
            f"There is no output {output}: it was discarded or never made.",
            hint="housectl tune   # makes another",
        ) from error


def check_trial_output(directory: Path, trial: Trial) -> None:
    """Check that an output is that of the trial, and its model, if it has one yet, undamaged.

    Raises:
        BundleError: It is incomplete or altered, or another trial's.
    """
    with _refused(f"of {trial.name}"):
        metrics = Metrics.from_json((directory / METRICS_FILE).read_bytes())
        recipe = Recipe.from_json((directory / RECIPE_FILE).read_bytes())
        if not is_of(trial, recipe, metrics):
            raise MalformedRecordError(f"it is not what was recorded of {trial.name}")
        checked_digest(directory / NATIVE_FILES[trial.family])


def is_of(trial: Trial, recipe: Recipe, metrics: Metrics) -> bool:
    """Return whether a recipe, and what was measured of it, are a trial's."""
    made = (recipe.family, recipe.assignment, metrics.mse)
    return made == (trial.family, trial.assignment, trial.mse)


def check_task_output(directory: Path) -> None:
    """Check a bundle, every byte of it, and its evidence.

    Raises:
        BundleError: Something is missing or altered.
    """
    bundle = read_bundle(directory / "bundle")
    with _refused(str(directory)):
        evidence = Evidence.from_json((directory / EVIDENCE_FILE).read_bytes())
        if evidence.recipe != bundle.record.recipe:
            raise MalformedRecordError("the evidence is of another recipe than the bundle")


@contextmanager
def _refused(which: str) -> Iterator[None]:
    try:
        yield
    except (OSError, MalformedRecordError) as error:
        raise BundleError(
            f"The output {which} is refused: {error}.", hint="housectl tune   # makes another"
        ) from error
