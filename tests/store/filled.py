"""Stores with files in every folder."""

from pathlib import Path

import housectl
from housectl.contract.bundle import Bundle
from housectl.store.base import ChampionStore
from housectl.store.failed_verifications import FailedVerification
from housectl.store.step_records import StepRecord, StepState
from tests.server.bundles import make_bundle, promote
from tests.store.contract import evidence_of

LOCK = b"numpy==2.3.5\n"
HOLDOUT_ROWS = "0" * 64


def add_champion(store: ChampionStore, parent: Path, *, base: float) -> Bundle:
    """Seal a model as a challenger, and make it the champion."""
    bundle = make_bundle(parent, base=base)
    store.add_challenger(f"experiment-{base:g}", bundle, evidence_of(bundle))
    promote(store, bundle)
    return bundle


def fill(store: ChampionStore, parent: Path, *, champions: int = 3) -> list[Bundle]:
    """Fill a store with champions, of which the first failed a verification."""
    bundles = [add_champion(store, parent, base=base + 1.0) for base in range(champions)]
    store.add_failed_verification(
        FailedVerification(
            bundle=bundles[0].digest, champion=1, url="http://a", failed=("fresh rows",), at=""
        )
    )
    store.add_lock(LOCK)
    for bundle in bundles:
        store.add_comparison(bundle.digest, holdout_rows=HOLDOUT_ROWS)
    store.write_step_record(StepRecord(step="tune", state=StepState.DONE, inputs={}, at=""))
    return bundles


def content(store: ChampionStore) -> dict[str, bytes]:
    """Return the bytes of all files of a store, by key."""
    return {file.key: store._read(file.key) for file in store._files()}


def problem_keys(store: ChampionStore) -> dict[str, str]:
    """Check a store, and return the kind of each problem by the key of its file."""
    report = housectl.check_store(store.location())
    root = f"{store.location().rstrip('/')}/"
    assert all(problem.hint and problem.cause for problem in report.problems)
    assert report.problem_count == len(report.problems)
    return {problem.file.removeprefix(root): problem.kind.value for problem in report.problems}
