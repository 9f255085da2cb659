"""Measure speed against baselines: `python -m benchmarks`; writes build/bench.json."""

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import (
    batches,
    graph_check,
    long_searches,
    many_trials,
    object_store,
    promotion,
    search,
    server_workers,
    serving,
    startup,
    suggestions,
)
from benchmarks.measurement import Measurement, log
from benchmarks.report import report, share_bytecode_cache
from benchmarks.workbench import force_promote, seal
from housectl.contract.families import Family
from housectl.search_spaces import default_space
from housectl.store.local import LocalStore
from tools.project_directory import ROOT, copy_boston

_OUTPUT = ROOT / "build" / "bench.json"
_SERVED = (Family.RANDOM_FOREST, Family.XGBOOST)
_WEAK = {"n_estimators": 30, "min_samples_leaf": 20}


def main() -> None:
    """Run all benchmarks, quick ones first, and report their results."""
    with TemporaryDirectory(prefix="housectl-bench-") as name:
        share_bytecode_cache(Path(name) / "bytecode")
        measurements = _measure(Path(name))
    report(measurements, _OUTPUT)


def _measure(scratch: Path) -> list[Measurement]:
    log("sealing three models to measure with")
    project = copy_boston(scratch / "boston").path
    weak = seal(project, "weak", Family.RANDOM_FOREST, _WEAK)
    forest, boosting = (
        seal(project, family, family, {**space.fixed, **space.enqueued[-1]})
        for family, space in ((family, default_space(family)) for family in _SERVED)
    )
    store = LocalStore(project / ".housectl" / "store")
    for sealed in (forest, boosting, weak):
        force_promote(store, sealed)
    store.add_challenger("better", forest.bundle, forest.evidence)
    served = {
        "a forest of 300 trees": serving.ServedStore(scratch / "forest", goal=1.0),
        "XGBoost": serving.ServedStore(scratch / "boosting", goal=1.8),
    }
    for endpoint, sealed in zip(served.values(), (forest, boosting), strict=True):
        force_promote(LocalStore(endpoint.store), sealed)
    return [
        *startup.measure(project),
        *long_searches.measure(project, scratch),
        *suggestions.measure(),
        *many_trials.measure(project),
        *graph_check.measure(
            forest.bundle.model, columns=len(forest.bundle.record.recipe.features)
        ),
        *promotion.measure(project, scratch),
        *object_store.measure(project, scratch, champion=weak, challenger=forest),
        *serving.measure(served, scratch),
        *batches.measure(scratch / "forest", scratch),
        *server_workers.measure(scratch / "forest", scratch),
        *search.measure(scratch),
    ]


if __name__ == "__main__":
    main()
