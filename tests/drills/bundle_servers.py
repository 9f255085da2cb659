"""Server processes that start on altered bundles."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path

from housectl.contract.history import Action, HistoryEntry
from housectl.contract.record import new_nonce
from housectl.errors import ExitStatus
from housectl.store.layout import BUNDLES, entry_key
from tests.drills.bundle_bases import Bases
from tests.drills.bundle_mutants import Mutant, make_mutant
from tests.server.running import start

# Every bundle of these mutations is invalid.
_MUTATIONS = frozenset({"edited model", "ragged golden rows", "other kind of file"})
_TIMEOUT_SECONDS = 30.0


def wrong_starts(seed: int, bases: Bases, scratch: Path, *, number: int) -> Iterator[str]:
    """Start servers on invalid champions, and yield each outcome other than status 5."""
    mutants = (make_mutant(seed, attempt, bases) for attempt in count())
    invalid = ((name, mutant) for name, mutant in mutants if name in _MUTATIONS)
    for attempt, (name, mutant) in enumerate(islice(invalid, number)):
        store = scratch / f"served-{attempt}"
        _write_store(store, mutant)
        output = scratch / f"served-{attempt}.txt"
        status = _exit_status(start(store, output, arguments=("--port", "0")))
        if status != ExitStatus.BUNDLE or "Traceback" in output.read_text():
            yield f"A server starts on {name} with status {status}: {output.read_text()}"


def _exit_status(server: "subprocess.Popen[bytes]") -> int | None:
    """Return the exit status; None if the server serves the bundle."""
    try:
        return server.wait(_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
        return None


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
        nonce=new_nonce(),
    )
    path = store / entry_key(1)
    path.parent.mkdir()
    path.write_bytes(entry.to_json())
