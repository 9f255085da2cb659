"""Measure the error of the whole search by nested cross-validation: `python -m benchmarks.quality`.

A run takes most of an hour. An interrupted run resumes when it is started again.
"""

import platform
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version

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
from benchmarks.resumable_results import ResumableResults, read_results
from benchmarks.worker_processes import map_in_background
from housectl.contract.families import Family
from housectl.contract.files import atomic_write
from housectl.contract.inputs import Inputs, write_inputs
from housectl.contract.libraries import library_versions
from housectl.contract.record import digest_of
from housectl.project.config import load_config
from housectl.search_spaces import default_space
from housectl_trainer.progress import report_progress
from tools.project_directory import ROOT

_RESULTS = ROOT / "build" / "quality.json"
_PAGE = ROOT / "docs" / "quality.md"


class Results(ResumableResults, kw_only=True):
    """Results of the finished folds."""

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
    results = read_results(_RESULTS, Results(protocol=_protocol(inputs, versions)))
    missing = _missing(results.folds)
    evaluated = map_in_background(partial(evaluate_fold, inputs=inputs.path), missing)
    for fold in report_progress(evaluated, total=len(missing), what="outer fold"):
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


def _missing(folds: Sequence[FoldResult]) -> list[OuterFold]:
    finished = {(fold.family, fold.repeat, fold.number) for fold in folds}
    return [
        outer
        for outer in outer_folds()
        if (outer.family, outer.repeat, outer.number) not in finished
    ]


if __name__ == "__main__":
    main()
