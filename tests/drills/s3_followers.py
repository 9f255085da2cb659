"""Promotions on S3 while two servers follow: each serves champions only, and in their order."""

import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from housectl.store.address import StoreAddress
from housectl.store.base import ChampionStore
from housectl.store.factory import open_store
from housectl.store.layout import entry_key
from tests.drills.drill import DrillResult
from tests.server.bundles import expected, make_bundle, promote
from tests.server.running import ROW, RunningServer, running, wait_until
from tests.servers.environment import use_server
from tests.servers.s3_proxy import S3Proxy, s3_proxy
from tools.s3_server import S3Server, s3_server

_SERVERS = 2
_MODELS = 5
_POLL_SECONDS = 0.1
_STEADY_POLLS = 20


def run(scratch: Path, count: int) -> DrillResult:
    """Promote `count` times; then count the requests of servers that have nothing to follow."""
    moments = random.Random(1)
    with ExitStack() as stack:
        s3 = stack.enter_context(s3_server(scratch / "s3"))
        stack.enter_context(use_server(s3))
        address = f"s3://{s3.new_bucket()}/store"
        store = open_store(StoreAddress.parse(address), cache=scratch / "cache")
        bundles = [make_bundle(scratch, base=float(number)) for number in range(_MODELS)]
        predictions = {
            bundle.digest: expected(float(number), ROW["RM"])
            for number, bundle in enumerate(bundles)
        }
        promote(store, bundles[0])
        followers = [
            stack.enter_context(_follower(s3, address, scratch / f"server-{number}", predictions))
            for number in range(_SERVERS)
        ]
        for number in range(1, count + 1):
            promote(store, bundles[number % _MODELS])
            time.sleep(moments.uniform(0.0, 2 * _POLL_SECONDS))
        failures = [problem for each in followers for problem in each.problems(store)]
        seen = " and ".join(str(len(each.champions)) for each in followers)
    figure = f"The servers showed {seen} of {count + 1} champions."
    return DrillResult(attempts=count, failures=failures, figures=[figure])


@dataclass(kw_only=True)
class _Follower:
    """A server, the proxy before its store, and the champions that it showed.

    Attributes:
        predictions: By digest of a bundle, its prediction for the row.
        champions: Number and digest of each champion, in the order in which the server showed them.
    """

    server: RunningServer
    proxy: S3Proxy
    predictions: Mapping[str, float]
    champions: list[tuple[int, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def watch(self, stop: threading.Event) -> None:
        """Request health and predictions until the event."""
        with httpx.Client(base_url=self.server.url, trust_env=False) as client:
            while not stop.is_set():
                health = client.get("/health").json()
                champion = health["champion"], health["model_digest"]
                if champion not in self.champions[-1:]:
                    self.champions.append(champion)
                response = client.post("/predict", json=ROW)
                prediction = self.predictions.get(response.headers["x-model-digest"])
                if response.json() != {"predicted_price": prediction}:
                    self.failures.append(f"The server predicted {response.text}.")

    def problems(self, store: ChampionStore) -> list[str]:
        """Wait until the server shows the champion, and return the problems up to then."""
        history = store.history()
        self.server.wait_for(champion=len(history), status="ok")
        numbers = [number for number, _ in self.champions]
        bundles = {entry.number: entry.bundle for entry in history}
        problems = {
            f"The champions {numbers} are out of order.": numbers != sorted(set(numbers)),
            "The server showed a model that was no champion.": any(
                bundles[number] != digest for number, digest in self.champions
            ),
            **self._steady_problems(len(history)),
        }
        return [*self.failures, *(text for text, occurred in problems.items() if occurred)]

    def _steady_problems(self, newest: int) -> Mapping[str, bool]:
        """Count the requests of several polls without a new champion."""
        wait_until(lambda: self.proxy.requests[-1].key.endswith(entry_key(newest + 1)))
        started = time.monotonic()
        self.proxy.forget_requests()
        wait_until(lambda: len(self.proxy.requests) >= _STEADY_POLLS)
        requests = set(self.proxy.requests[:_STEADY_POLLS])
        fastest = (time.monotonic() - started) / _STEADY_POLLS
        keys = {(request.operation, request.key.removeprefix("store/")) for request in requests}
        # Now and then, the server looks at its own entry.
        allowed = {("HEAD", entry_key(number)) for number in (newest, newest + 1)}
        return {
            f"The steady requests are {keys}.": not keys <= allowed,
            f"A request came every {fastest:.3f} s.": fastest < 0.9 * _POLL_SECONDS,
        }


@contextmanager
def _follower(
    s3: S3Server, address: str, scratch: Path, predictions: Mapping[str, float]
) -> Iterator[_Follower]:
    """Run a server of a store behind a proxy, and a thread that watches it."""
    stop = threading.Event()
    scratch.mkdir()
    with (
        s3_proxy(s3) as proxy,
        use_server(proxy.server),
        running(
            address, scratch / "output", arguments=("--poll-interval", str(_POLL_SECONDS))
        ) as server,
    ):
        follower = _Follower(server=server, proxy=proxy, predictions=predictions)
        watcher = threading.Thread(target=follower.watch, args=[stop])
        watcher.start()
        try:
            yield follower
        finally:
            stop.set()
            watcher.join()
