"""Drill: hostile requests against a server process, while its health is checked."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import uvloop

from housectl.store.local import LocalStore
from tests.drills.answers import Answer, AnswerReader
from tests.drills.drill import DrillResult
from tests.drills.hostile_connections import HostileConnection, random_connection, slow_connection
from tests.drills.hostile_requests import HostileRequest, random_request, request_bytes
from tests.server.bundles import make_bundle, promote
from tests.server.running import RunningServer, running

_SEED = 20_251_129
_CLIENTS = 8
# Each client sends so many requests on one connection, and then opens so many hostile ones.
_REQUESTS_PER_CONNECTION = 100
_HOSTILE_CONNECTIONS = 8
_MAX_PIPELINED = 20
_MAX_SLOW_CLIENTS = 200
_HANG_SECONDS = 30.0
_HEALTH_SECONDS = 0.1
_MAX_MEMORY_MB = 300
_MAX_LOG_LINES = 100
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def run(scratch: Path, count: int) -> DrillResult:
    """Send hostile requests, and check every answer.

    Args:
        scratch: Empty directory.
        count: Number of requests, and of connections that cannot have one.
    """
    store = LocalStore(scratch / "store")
    promote(store, make_bundle(scratch))
    with running(store.path, scratch / "output.txt") as server:
        started = time.monotonic()
        drill = _Drill(server, count)
        uvloop.run(drill.run())
        seconds = time.monotonic() - started
        faults = _faults_of_process(server)
        slowest = 1000 * drill.slowest_health_check
        memory = _peak_memory_mb(server)
    return DrillResult(
        attempts=drill.attempts,
        failures=[*drill.failures, *faults],
        figures=(
            f"The server answered {drill.attempts / seconds:,.0f} attempts per second.",
            f"Its memory peaked at {memory:.0f} MB.",
            f"The slowest of {drill.health_checks:,} health checks took {slowest:.0f} ms.",
        ),
    )


def _faults_of_process(server: RunningServer) -> list[str]:
    """Return the faults of the server after the drill."""
    log = server.log()
    checks = {
        "the server does not predict": server.predict().json() != {"predicted_price": 30.0},
        "the log has a traceback": "Traceback" in log,
        f"the log has {log.count(chr(10))} lines": log.count("\n") > _MAX_LOG_LINES,
        "the server needs too much memory": _peak_memory_mb(server) > _MAX_MEMORY_MB,
    }
    return [fault for fault, is_found in checks.items() if is_found]


def _peak_memory_mb(server: RunningServer) -> float:
    """Return the highest memory of the server so far; 0 on systems without /proc."""
    path = Path(f"/proc/{server.process.pid}/status")
    match = re.search(r"VmHWM:\s+(\d+) kB", path.read_text()) if path.exists() else None
    return int(match[1]) / 1024 if match else 0.0


@dataclass
class _Drill:
    """Clients of a server, and their findings."""

    server: RunningServer
    count: int
    attempts: int = 0
    failures: list[str] = field(default_factory=list)
    health_checks: int = 0
    slowest_health_check: float = 0.0

    async def run(self) -> None:
        """Run all clients to their ends."""
        health = asyncio.create_task(self._check_health())
        slow_clients = min(_MAX_SLOW_CLIENTS, self.count // 500)
        async with asyncio.TaskGroup() as clients:
            for number in range(slow_clients):
                slow = slow_connection(Random(_SEED + number))
                clients.create_task(self._connect_hostile(slow, pause=1.0))
            for number in range(_CLIENTS):
                clients.create_task(self._attack(Random(_SEED - number)))
        health.cancel()

    async def _attack(self, random: Random) -> None:
        while self.attempts < self.count:
            requests = [random_request(random) for _ in range(_REQUESTS_PER_CONNECTION)]
            await self._send(requests, random)
            for _ in range(_HOSTILE_CONNECTIONS):
                await self._connect_hostile(random_connection(random))

    async def _send(self, requests: Sequence[HostileRequest], random: Random) -> None:
        """Send requests on one connection, and check each answer."""
        stream, writer = await self._open()
        reader = AnswerReader(stream)
        while requests:
            size = random.randint(1, _MAX_PIPELINED)
            group, requests = requests[:size], requests[size:]
            writer.write(b"".join(request.data for request in group))
            try:
                answers = await asyncio.wait_for(reader.read(len(group)), _HANG_SECONDS)
            except (TimeoutError, EOFError, OSError) as error:
                starts = [request.data[:60] for request in group]
                self.failures.append(f"{type(error).__name__} after {starts}")
                break
            for request, answer in zip(group, answers, strict=True):
                self._check(request, answer)
        writer.close()

    def _check(self, request: HostileRequest, answer: Answer) -> None:
        self.attempts += 1
        is_right = answer.status in request.statuses and request.body in {None, answer.body}
        if not is_right or b"x-model-digest" not in answer.headers:
            self.failures.append(
                f"{request.data[:300]!r} of {len(request.data)} bytes: {answer.status} "
                f"{answer.body[:300]!r} instead of {set(request.statuses)} {request.body!r}"
            )

    async def _connect_hostile(self, attack: HostileConnection, *, pause: float = 0) -> None:
        """Send bytes on one connection, and check that it ends without a server error."""
        stream, writer = await self._open()
        for piece in attack.pieces:
            if not writer.is_closing():
                writer.write(piece)
            await asyncio.sleep(pause)
        if attack.half_closes and not writer.is_closing():
            writer.write_eof()
        fault = await self._fault_at_end(stream, attack)
        self.attempts += 1
        if fault:
            self.failures.append(f"{attack.pieces[0][:300]!r}: {fault}")
        writer.close()

    async def _fault_at_end(
        self, stream: asyncio.StreamReader, attack: HostileConnection
    ) -> str | None:
        try:
            answer = await asyncio.wait_for(stream.read(), _HANG_SECONDS)
        except TimeoutError:
            return "the connection stays open"
        except OSError:
            return None
        statuses = {int(status) for status in _STATUS.findall(answer)}
        if any(status >= 500 for status in statuses):
            return f"a server error: {answer[:300]!r}"
        if attack.statuses and not statuses <= attack.statuses:
            return f"the answer has {statuses} instead of {set(attack.statuses)}"
        return None

    async def _check_health(self) -> None:
        """Ask for the server's health on new connections, until cancelled."""
        request = request_bytes("GET", "/health/ready", headers=("connection: close",))
        while True:
            started = time.monotonic()
            stream, writer = await self._open()
            writer.write(request)
            try:
                answer = await asyncio.wait_for(stream.read(), _HANG_SECONDS)
            except (TimeoutError, OSError) as error:
                answer = repr(error).encode()
            if not answer.startswith(b"HTTP/1.1 200 "):
                self.failures.append(f"health check: {answer[:300]!r}")
            writer.close()
            self.health_checks += 1
            self.slowest_health_check = max(self.slowest_health_check, time.monotonic() - started)
            await asyncio.sleep(_HEALTH_SECONDS)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        url = self.server.client.base_url
        return await asyncio.open_connection(url.host, url.port)
