"""Measure the error of the whole search by nested cross-validation: `python -m benchmarks.quality`.

A run takes half an hour. An interrupted run resumes when it is started again.
"""

import platform
from functools import partial
from pathlib import Path

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
from benchmarks.nested_pruning import (
    PRUNED_FAMILIES,
    PRUNED_TRIALS,
    PairFold,
    PairResult,
    evaluate_pair,
    pair_folds,
)
from benchmarks.quality_page import page
from benchmarks.resumable_results import ResumableResults, read_results
from benchmarks.worker_processes import map_in_background
from housectl.contract.families import Family
from housectl.contract.files import atomic_write
from housectl.contract.inputs import Inputs, write_inputs
from housectl.contract.libraries import library_versions
from housectl.contract.pruning import LEVEL
from housectl.contract.record import digest_of
from housectl.project.config import load_config
from housectl.search.sampler import SAMPLER_VERSION
from housectl.search_spaces import default_space, wide_space
from housectl_trainer.progress import report_progress
from tools.project_directory import ROOT

_RESULTS = ROOT / "build" / "quality.json"
_PAGE = ROOT / "docs" / "quality.md"


class Results(ResumableResults, kw_only=True):
    """Results of the finished folds."""

    folds: tuple[FoldResult, ...] = ()
    pairs: tuple[PairResult, ...] = ()


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
    missing = _missing(results)
    evaluated = map_in_background(partial(_evaluate, inputs=inputs.path), missing)
    for result in report_progress(evaluated, total=len(missing), what="outer fold"):
        results = _with(results, result)
        atomic_write(_RESULTS, results.to_json())
    atomic_write(_PAGE, page(results.folds, results.pairs, versions).encode())


def _evaluate(outer: OuterFold | PairFold, inputs: Path) -> FoldResult | PairResult:
    if isinstance(outer, PairFold):
        return evaluate_pair(outer, inputs)
    return evaluate_fold(outer, inputs)


def _with(results: Results, result: FoldResult | PairResult) -> Results:
    if isinstance(result, PairResult):
        return msgspec.structs.replace(results, pairs=(*results.pairs, result))
    return msgspec.structs.replace(results, folds=(*results.folds, result))


def _versions() -> dict[str, str]:
    return {**library_versions(), "sampler": str(SAMPLER_VERSION)}


def _protocol(inputs: Inputs, versions: dict[str, str]) -> str:
    return digest_of(
        {
            "data": inputs.shared.data,
            "features": inputs.shared.schema.feature_names,
            "spaces": {family: msgspec.to_builtins(default_space(family)) for family in Family},
            "pruning": [
                LEVEL,
                *(msgspec.to_builtins(wide_space(each)) for each in PRUNED_FAMILIES),
            ],
            "plan": [SEED, REPEATS, OUTER_FOLDS, TRIALS, PRUNED_TRIALS],
            "versions": versions,
        }
    )


def _missing(results: Results) -> list[OuterFold | PairFold]:
    finished = {(fold.family, fold.repeat, fold.number) for fold in results.folds}
    finished_pairs = {(pair.repeat, pair.number) for pair in results.pairs}
    return [
        *(pair for pair in pair_folds() if (pair.repeat, pair.number) not in finished_pairs),
        *(
            outer
            for outer in outer_folds()
            if (outer.family, outer.repeat, outer.number) not in finished
        ),
    ]


if __name__ == "__main__":
    main()
