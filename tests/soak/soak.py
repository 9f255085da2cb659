"""The soak: load on two servers, while faults happen to them and to their stores."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

import uvloop

from housectl.contract.bundle import Bundle
from tests.soak.clients import Client, RightAnswers
from tests.soak.counts import Counts
from tests.soak.followed_store import (
    FollowedStore,
    followed_bucket,
    followed_directory,
    inject_faults,
)
from tests.soak.malformed import attack, send_slowly
from tests.soak.models import make_bundles, right_answers
from tools.project_directory import ROOT

_BUNDLES = 6
_SEED = 20_251_130
_HOSTILE_PAUSE_SECONDS = 0.05
_SLOW_CLIENTS = 4
_MEMORY_PAUSE_SECONDS = 1.0
# The first swaps and errors fill caches, which is no growth.
_WARM_UP = 0.2
_MEMORY_SHARE = 0.15


@dataclass(frozen=True, kw_only=True)
class SoakPlan:
    """Size and goals of a soak.

    Attributes:
        seconds: Duration of the load; faults that take longer extend it.
        swaps: Promotions and rollbacks of both stores together.
        kill_every, outage_every: Number of swaps of a store from one fault to the next.
        clients: Number of connections with valid requests to each server.
        pause: Seconds of each client between an answer and the next request.
        min_requests: Minimum number of requests.
        max_growth: Maximum growth of the workers' memory, as a share.
    """

    seconds: float
    swaps: int = 200
    kill_every: int = 5
    outage_every: int = 10
    clients: int = 6
    pause: float = 0.0
    min_requests: int = 500_000
    max_growth: float = 0.1


@dataclass(frozen=True)
class SoakResult:
    """Outcome of a soak.

    Attributes:
        memory: Megabytes of the workers by store: after the warm-up, and at the end.
    """

    plan: SoakPlan
    counts: Counts
    seconds: float
    memory: Mapping[str, tuple[float, float]]

    @property
    def growth(self) -> float:
        """Largest growth of the workers' memory, as a share."""
        return max(end / start - 1 for start, end in self.memory.values())

    @property
    def missed(self) -> Sequence[str]:
        """One sentence for each missed goal."""
        counts, plan = self.counts, self.plan
        goals = {
            f"{counts.requests:,} requests instead of {plan.min_requests:,}": (
                counts.requests >= plan.min_requests
            ),
            f"{counts.swaps} promotions and rollbacks instead of {plan.swaps}": (
                counts.swaps >= plan.swaps
            ),
            f"The memory grew by {self.growth:.1%}.": self.growth <= plan.max_growth,
        }
        problems = [f"{kind}: {count}" for kind, count in counts.problems.items()]
        return [*(text for text, is_met in goals.items() if not is_met), *problems]


def soak(plan: SoakPlan, scratch: Path, *, log: Callable[[str], None]) -> SoakResult:
    """Run servers of a directory and of an S3 bucket, and load them while faults happen.

    Args:
        scratch: Empty directory.
        log: Receives the progress.
    """
    bundles = make_bundles(scratch, _BUNDLES)
    counts = Counts()
    with ExitStack() as stack:
        first = next(iter(bundles.values()))
        followed = []
        for follow in (followed_directory, followed_bucket):
            (directory := scratch / follow.__name__).mkdir()
            followed.append(stack.enter_context(follow(directory, first, counts)))
        result = uvloop.run(_Soak(plan, followed, bundles, counts, log).run())
        for each in followed:
            if "Traceback" in (text := each.server.log()):
                counts.fail("traceback", text[text.index("Traceback") :][:2000])
    return result


class _Soak:
    def __init__(
        self,
        plan: SoakPlan,
        followed: Sequence[FollowedStore],
        bundles: Mapping[str, Bundle],
        counts: Counts,
        log: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._followed = followed
        self._bundles = tuple(bundles.values())
        self._answers: RightAnswers = {
            digest: right_answers(float(number)) for number, digest in enumerate(bundles, start=1)
        }
        self._counts = counts
        self._log = log
        self._memory: dict[str, list[float]] = {each.name: [] for each in followed}

    async def run(self) -> SoakResult:
        start = time.monotonic()
        clients = [client for each in self._followed for client in self._clients(each)]
        for client in clients:
            client.start()
        background = [
            asyncio.create_task(task)
            for task in (
                *self._attacks(),
                *map(self._measure_memory, self._followed),
                self._report(start, clients),
            )
        ]
        await asyncio.gather(
            asyncio.sleep(self._plan.seconds),
            *(asyncio.to_thread(self._inject, each) for each in self._followed),
            *map(self._generate, self._followed),
        )
        for task in background:
            task.cancel()
        outcomes = await asyncio.gather(*background, return_exceptions=True)
        for outcome in outcomes:
            if not isinstance(outcome, asyncio.CancelledError):
                self._counts.fail("soak", repr(outcome))
        await asyncio.gather(*(client.stop() for client in clients))
        memory = {name: _start_and_end(values) for name, values in self._memory.items()}
        return SoakResult(self._plan, self._counts, time.monotonic() - start, memory)

    def _clients(self, followed: FollowedStore) -> Sequence[Client]:
        host, port = _address(followed)
        return [
            Client(host, port, self._answers, self._counts, pause=self._plan.pause)
            for _ in range(self._plan.clients)
        ]

    def _inject(self, followed: FollowedStore) -> None:
        inject_faults(
            followed,
            self._bundles,
            swaps=self._plan.swaps // len(self._followed),
            seconds=self._plan.seconds,
            kill_every=self._plan.kill_every,
            outage_every=self._plan.outage_every,
        )

    def _attacks(self) -> Iterator[Coroutine[None, None, None]]:
        for number, followed in enumerate(self._followed):
            random = Random(_SEED + number)
            address = _address(followed)
            yield attack(*address, random, self._counts, pause=_HOSTILE_PAUSE_SECONDS)
            for _ in range(_SLOW_CLIENTS):
                yield send_slowly(*address, random, self._counts)

    async def _generate(self, followed: FollowedStore) -> None:
        """Let a process send requests that it generates from the OpenAPI."""
        module = "tests.soak.generated_requests"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, followed.server.url, str(0.9 * self._plan.seconds)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        if process.returncode:
            self._counts.fail("soak", f"{module} ended with status {process.returncode}")
            return
        outcome = json.loads(output)
        self._counts.generated += outcome["requests"]
        for failure in outcome["failures"]:
            self._counts.fail("generated", failure)

    async def _measure_memory(self, followed: FollowedStore) -> None:
        while True:
            try:
                megabytes = await asyncio.to_thread(followed.megabytes)
            except (FileNotFoundError, ProcessLookupError):
                pass  # a worker was killed meanwhile
            else:
                self._memory[followed.name].append(megabytes)
            await asyncio.sleep(_MEMORY_PAUSE_SECONDS)

    async def _report(self, start: float, clients: Sequence[Client]) -> None:
        while True:
            await asyncio.sleep(min(10.0, self._plan.seconds / 4))
            for client in clients:
                client.check_hang()
            counts = self._counts
            self._log(
                f"{time.monotonic() - start:.0f} of {self._plan.seconds:.0f} s: "
                f"{counts.requests:,} requests, {counts.swaps} swaps, {counts.kills} kills, "
                f"{counts.outages} outages, {sum(counts.problems.values())} problems"
            )


def _address(followed: FollowedStore) -> tuple[str, int]:
    url = followed.server.client.base_url
    return url.host, url.port or 80


def _start_and_end(values: Sequence[float]) -> tuple[float, float]:
    """Return the median after the warm-up, and that of the last values."""
    warm = values[int(_WARM_UP * len(values)) :]
    count = max(1, int(_MEMORY_SHARE * len(warm)))
    return median(warm[:count]), median(warm[-count:])
