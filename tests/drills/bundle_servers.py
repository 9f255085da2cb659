"""Server processes that start on altered bundles."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path

from housectl.contract.history import Action, HistoryEntry
from housectl.errors import ExitStatus
from housectl.store.layout import BUNDLES, entry_key
from tests.drills.bundle_bases import Bases
from tests.drills.bundle_mutants import Mutant, make_mutant
from tests.server.running import SERVER

# Every bundle of these mutations is invalid.
_MUTATIONS = frozenset({"edited model", "ragged golden rows", "other kind of file"})
_TIMEOUT_SECONDS = 60.0


def wrong_starts(seed: int, bases: Bases, scratch: Path, *, number: int) -> Iterator[str]:
    """Start servers on invalid champions, and yield each outcome other than status 5."""
    mutants = (make_mutant(seed, attempt, bases) for attempt in count())
    invalid = ((name, mutant) for name, mutant in mutants if name in _MUTATIONS)
    for attempt, (name, mutant) in enumerate(islice(invalid, number)):
        store = scratch / f"served-{attempt}"
        _write_store(store, mutant)
        result = subprocess.run(
            [sys.executable, *SERVER, "--port", "0"],
            env={**os.environ, "HOUSECTL_STORE": str(store)},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        if result.returncode != ExitStatus.BUNDLE or "Traceback" in result.stderr:
            yield f"A server starts on {name} with status {result.returncode}: {result.stderr}"


def _write_store(store: Path, mutant: Mutant) -> None:
    mutant.write(store / BUNDLES)
    entry = HistoryEntry(
        number=1,
        previous=None,
        action=Action.PROMOTION,
        bundle=mutant.digest,
        at=datetime.now(UTC).isoformat(),
        by="somebody@somewhere",
        reason="A drill.",
        holdout_mse=9.0,
    )
    path = store / entry_key(1)
    path.parent.mkdir()
    path.write_bytes(entry.to_json())
