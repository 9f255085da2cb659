"""A server with two workers that follows a store, and the faults of both."""

import json
import os
import random
import re
import shutil
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from housectl.contract.bundle import Bundle
from housectl.contract.history import Action
from housectl.store.address import StoreAddress
from housectl.store.base import ChampionStore
from housectl.store.factory import open_store
from housectl.store.local import LocalStore
from tests.server.bundles import promote
from tests.server.running import RunningServer, running
from tests.servers.environment import use_server
from tests.soak.counts import Counts
from tools.s3_server import s3_server
from tools.server_process import free_port

_ARGUMENTS = ("--workers", "2", "--poll-interval", "0.2s")
_WAIT_SECONDS = 60.0
_PSS = re.compile(r"(?m)^Pss: +(\d+) kB")

Health = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class FollowedStore:
    """A store, the server that follows it, and the store's outage.

    Attributes:
        outage: Makes the store unavailable during a block.
    """

    name: str
    store: ChampionStore
    server: RunningServer
    counts: Counts
    outage: Callable[[], AbstractContextManager[None]]

    def swap(self, bundle: Bundle, action: Action) -> None:
        """Commit a champion, and wait until all workers serve it."""
        promote(self.store, bundle, action=action)
        self.counts.swaps += 1
        self._wait(f"serves {bundle.digest[:12]}", lambda health: _serves(health, bundle.digest))

    def kill_worker(self) -> None:
        """Kill a worker, and wait until another one replaces it."""
        workers = _pids(self._health())
        killed = random.choice(sorted(workers))
        self.counts.record_kill()
        os.kill(killed, signal.SIGKILL)
        self._wait(
            "replaces a killed worker",
            lambda health: health["status"] == "ok" and killed not in _pids(health),
        )

    def interrupt_store(self, bundle: Bundle) -> None:
        """Make the store unavailable until the server reports it; it keeps its champion."""
        self.counts.outages += 1
        with self.outage():
            self._wait(
                "reports the outage and keeps its champion",
                lambda health: (
                    health["status"] == "degraded" and health["model_digest"] == bundle.digest
                ),
            )
        self._wait("recovers", lambda health: _serves(health, bundle.digest))

    def megabytes(self) -> float:
        """Return the memory of all workers; shared memory counts in parts (PSS)."""
        pids = _pids(self._health())
        texts = (Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids)
        return sum(int(match[1]) for text in texts if (match := _PSS.search(text))) / 1000

    def _wait(self, expectation: str, condition: Callable[[Health], bool]) -> None:
        deadline = time.monotonic() + _WAIT_SECONDS
        while not condition(health := self._health()):
            if time.monotonic() > deadline:
                self.counts.fail(
                    "fault", f"after {_WAIT_SECONDS:.0f} s, no server that {expectation}: {health}"
                )
                return
            time.sleep(0.05)

    def _health(self) -> Health:
        """Return /health by a new connection; again if a kill breaks it."""
        while True:
            try:
                with urllib.request.urlopen(f"{self.server.url}/health", timeout=30) as answer:
                    health: Health = json.load(answer)
                    return health
            except OSError as error:
                if not self.counts.may_break():
                    self.counts.fail("lost", f"/health: {error}")
                    raise
                time.sleep(0.05)


def _serves(health: Health, digest: str) -> bool:
    return bool(health["status"] == "ok" and health["model_digest"] == digest)


def _pids(health: Health) -> set[int]:
    return {worker["pid"] for worker in health["workers"] if worker["pid"]}


@contextmanager
def followed_directory(scratch: Path, first: Bundle, counts: Counts) -> Iterator[FollowedStore]:
    """Run a server that follows a directory; an outage renames the directory."""
    store = LocalStore(scratch / "store")
    promote(store, first)

    @contextmanager
    def outage() -> Iterator[None]:
        shutil.move(store.path, away := scratch / "store-away")
        yield
        shutil.move(away, store.path)

    with running(store.path, scratch / "directory.txt", arguments=_ARGUMENTS) as server:
        yield FollowedStore(
            name="directory", store=store, server=server, counts=counts, outage=outage
        )


@contextmanager
def followed_bucket(scratch: Path, first: Bundle, counts: Counts) -> Iterator[FollowedStore]:
    """Run a server that follows an S3 bucket; an outage stops the S3 server."""
    port, directory = free_port(), scratch / "s3"
    with ExitStack() as process:
        s3 = process.enter_context(s3_server(directory, port=port))
        address = f"s3://{s3.new_bucket()}/store"

        @contextmanager
        def outage() -> Iterator[None]:
            process.close()
            yield
            process.enter_context(s3_server(directory, port=port))

        with use_server(s3):
            store = open_store(StoreAddress.parse(address), cache=scratch / "cache")
            promote(store, first)
            with running(address, scratch / "s3.txt", arguments=_ARGUMENTS) as server:
                yield FollowedStore(
                    name="S3", store=store, server=server, counts=counts, outage=outage
                )


def inject_faults(
    followed: FollowedStore,
    bundles: Sequence[Bundle],
    *,
    swaps: int,
    seconds: float,
    kill_every: int,
    outage_every: int,
) -> None:
    """Promote and roll back at a steady pace; kill workers and interrupt the store between.

    Args:
        swaps: Number of promotions and rollbacks.
        seconds: Time for all of them; they take longer on a busy machine.
        kill_every: Number of swaps from one kill to the next.
        outage_every: Number of swaps from one outage to the next.
    """
    start = time.monotonic()
    for number in range(1, swaps + 1):
        bundle = bundles[number % len(bundles)]
        followed.swap(bundle, Action.ROLLBACK if number % 2 == 0 else Action.PROMOTION)
        if number % kill_every == 0:
            followed.kill_worker()
        if number % outage_every == 0:
            followed.interrupt_store(bundle)
        time.sleep(max(0.0, start + seconds * number / swaps - time.monotonic()))
