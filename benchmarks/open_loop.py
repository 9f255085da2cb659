"""A client that sends requests at a fixed rate, however slowly the server answers.

A client that waits for each answer slows down with the server, so it never overloads it.
"""

import asyncio
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from statistics import quantiles
from typing import cast
from urllib.parse import urlsplit

MAX_CONNECTIONS = 900

_TICK_SECONDS = 0.001
_LAST_ANSWERS_SECONDS = 10.0
_CONTENT_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)\r\n")
_REQUEST = (
    "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
    "content-length: {length}\r\n\r\n{body}"
)

Check = Callable[[int, bytes, bytes], None]


@dataclass
class OpenLoad:
    """Result of a load at a fixed rate.

    Attributes:
        seconds: Time from the first request to the last one.
        statuses: Number of answers by status.
        latencies: Seconds from the time at which a request was due to its complete answer, of the
            answers with status 200.
        lost: Number of requests whose connection was closed before the answer.
        unsent: Number of requests that were due while all connections waited for an answer.
        without_retry: Number of answers with status 503 without Retry-After.
    """

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    lost: int = 0
    unsent: int = 0
    without_retry: int = 0

    @property
    def rate(self) -> float:
        """Predictions per second."""
        return self.statuses[200] / self.seconds

    @property
    def refused(self) -> float:
        """Share of the answers that are refusals."""
        return self.statuses[503] / max(1, self.statuses.total())

    @property
    def p50_ms(self) -> float:
        """Median latency of predictions in ms."""
        return 1000 * quantiles(self.latencies, n=100)[49]

    @property
    def p99_ms(self) -> float:
        """99th percentile of the latency of predictions in ms."""
        return 1000 * quantiles(self.latencies, n=100)[98]


def open_load(
    url: str,
    bodies: Sequence[str],
    *,
    rate: float,
    seconds: float,
    connections: int = MAX_CONNECTIONS,
    check: Check | None = None,
) -> OpenLoad:
    """Post bodies to a URL at a fixed rate.

    Args:
        url: URL of the endpoint.
        bodies: Request bodies, sent in turn.
        rate: Requests per second.
        seconds: Duration of the load.
        connections: Maximum number of connections.
        check: Called with status, head and content of each answer.
    """
    import uvloop

    return uvloop.run(_OpenLoop(url, bodies, connections, check).run(rate, seconds))


class _OpenLoop:
    def __init__(
        self, url: str, bodies: Sequence[str], connections: int, check: Check | None
    ) -> None:
        target = urlsplit(url)
        self._host, self._port = str(target.hostname), target.port or 80
        self._requests: Iterator[bytes] = cycle(
            [
                _REQUEST.format(
                    path=target.path, host=target.netloc, length=len(body.encode()), body=body
                ).encode()
                for body in bodies
            ]
        )
        self._max_connections = connections
        self._open = 0
        self._in_flight = 0
        self._check = check
        self._idle: deque[_Connection] = deque()
        self._connected: set[_Connection] = set()
        self._result = OpenLoad()

    async def run(self, rate: float, seconds: float) -> OpenLoad:
        """Send requests at a rate, and return the result after the last answer."""
        start, sent = time.perf_counter(), 0
        connecting: set[asyncio.Task[None]] = set()
        while (now := time.perf_counter()) < start + seconds:
            for number in range(sent, int((now - start) * rate)):
                self._send(start + number / rate, connecting)
                sent = number + 1
            await asyncio.sleep(_TICK_SECONDS)
        self._result.seconds = now - start
        deadline = now + _LAST_ANSWERS_SECONDS
        while self._in_flight and time.perf_counter() < deadline:
            await asyncio.sleep(_TICK_SECONDS)
        self._result.lost += self._in_flight
        for connection in self._connected:
            connection.abort()
        await asyncio.sleep(_TICK_SECONDS)  # the loop closes them
        return self._result

    def _send(self, due: float, connecting: set[asyncio.Task[None]]) -> None:
        if self._idle:
            self._in_flight += 1
            self._idle.pop().send(next(self._requests), due)
        elif self._open < self._max_connections:
            self._in_flight += 1
            self._open += 1
            task = asyncio.create_task(self._connect(due))
            connecting.add(task)
            task.add_done_callback(connecting.discard)
        else:
            self._result.unsent += 1

    async def _connect(self, due: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: _Connection(self), self._host, self._port
            )
        except OSError:
            self.on_close(is_waiting=True)
        else:
            self._connected.add(connection)
            connection.send(next(self._requests), due)

    def on_answer(
        self, connection: "_Connection", due: float, status: int, head: bytes, content: bytes
    ) -> None:
        """Record an answer, and use its connection again unless it closes."""
        self._in_flight -= 1
        self._result.statuses[status] += 1
        if status == 200:
            self._result.latencies.append(time.perf_counter() - due)
        elif status == 503 and b"\r\nretry-after: " not in head:
            self._result.without_retry += 1
        if self._check:
            self._check(status, head, content)
        if b"\r\nconnection: close" not in head:
            self._idle.append(connection)

    def on_close(self, *, is_waiting: bool) -> None:
        """Record a closed connection, and the loss of the answer for which it waited."""
        self._open -= 1
        if is_waiting:
            self._in_flight -= 1
            self._result.lost += 1

    def forget(self, connection: "_Connection") -> None:
        """Use a closed connection no more."""
        self._connected.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)


class _Connection(asyncio.Protocol):
    def __init__(self, owner: _OpenLoop) -> None:
        self._owner = owner
        self._received = b""
        self._due: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        writer = cast("asyncio.WriteTransport", transport)
        self._write, self.abort = writer.write, writer.abort

    def send(self, request: bytes, due: float) -> None:
        self._due = due
        self._write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, _, content = self._received.partition(b"\r\n\r\n")
        length = _CONTENT_LENGTH.search(head + b"\r\n")
        if length is None or len(content) < int(length[1]) or self._due is None:
            return
        due, self._due, self._received = self._due, None, b""
        self._owner.on_answer(self, due, int(head[9:12]), head, content)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's name
        self._owner.on_close(is_waiting=self._due is not None)
        self._owner.forget(self)
