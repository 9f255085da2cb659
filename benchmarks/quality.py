"""Measure the error of the whole search by nested cross-validation: `python -m benchmarks.quality`.

A run takes most of an hour. An interrupted run resumes when it is started again.
"""

import os
import platform
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.metadata import version
from multiprocessing import get_context

import msgspec

from benchmarks.nested import (
    OUTER_FOLDS,
    REPEATS,
    SEED,
    TRIALS,
    FoldResult,
    OuterFold,
    evaluate_fold,
    outer_folds,
)
from benchmarks.quality_page import page
from housectl.contract.families import Family
from housectl.contract.files import atomic_write
from housectl.contract.inputs import Inputs, write_inputs
from housectl.contract.libraries import library_versions
from housectl.contract.record import MalformedRecordError, Record, digest_of
from housectl.project.config import load_config
from housectl.search_spaces import default_space
from housectl_trainer.parent_watchdog import die_with_parent
from housectl_trainer.progress import report_progress
from tools.project_directory import ROOT

_RESULTS = ROOT / "build" / "quality.json"
_PAGE = ROOT / "docs" / "quality.md"
_PROCESSES = 2
_NICENESS = 10


class Results(Record, kw_only=True):
    """Results of the finished folds; `protocol` is the digest of all their inputs."""

    protocol: str
    folds: tuple[FoldResult, ...] = ()


def main() -> None:
    """Search in all outer folds that have no result, then write the page."""
    project = load_config(ROOT / "housectl.yaml")
    inputs = write_inputs(
        ROOT / "build" / "inputs",
        ROOT / project.data,
        schema=project.schema_record,
        split=project.split_record,
        seed=SEED,
    )
    versions = {"python": platform.python_version(), **_versions()}
    results = _read_results(_protocol(inputs, versions))
    missing = _missing(results.folds)
    for fold in report_progress(_evaluate(missing, inputs), total=len(missing), what="outer fold"):
        results = Results(protocol=results.protocol, folds=(*results.folds, fold))
        atomic_write(_RESULTS, results.to_json())
    atomic_write(_PAGE, page(results.folds, versions).encode())


def _versions() -> dict[str, str]:
    return {**library_versions(), "optuna": version("optuna")}


def _protocol(inputs: Inputs, versions: dict[str, str]) -> str:
    return digest_of(
        {
            "data": inputs.shared.data,
            "features": inputs.shared.schema.feature_names,
            "spaces": {family: msgspec.to_builtins(default_space(family)) for family in Family},
            "plan": [SEED, REPEATS, OUTER_FOLDS, TRIALS],
            "versions": versions,
        }
    )


def _read_results(protocol: str) -> Results:
    """Return the results of an interrupted run with the same protocol."""
    try:
        results = Results.from_json(_RESULTS.read_bytes())
    except (FileNotFoundError, MalformedRecordError):
        return Results(protocol=protocol)
    return results if results.protocol == protocol else Results(protocol=protocol)


def _missing(folds: Sequence[FoldResult]) -> list[OuterFold]:
    finished = {(fold.family, fold.repeat, fold.number) for fold in folds}
    return [
        outer
        for outer in outer_folds()
        if (outer.family, outer.repeat, outer.number) not in finished
    ]


def _evaluate(missing: Sequence[OuterFold], inputs: Inputs) -> Iterator[FoldResult]:
    # The numerical libraries read these at import, and each spawned process imports them again.
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(
        _PROCESSES, mp_context=get_context("spawn"), initializer=_initialize_worker
    ) as executor:
        futures = [executor.submit(evaluate_fold, outer, inputs.path) for outer in missing]
        for future in as_completed(futures):
            yield future.result()


def _initialize_worker() -> None:
    die_with_parent()
    os.nice(max(0, _NICENESS - os.nice(0)))


if __name__ == "__main__":
    main()
