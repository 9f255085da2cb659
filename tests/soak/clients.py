"""Clients with kept connections, which compare each answer with the model that it names."""

import asyncio
import itertools
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from tests.soak.counts import Counts
from tests.soak.models import BODIES

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)\r\n")
_DIGEST = re.compile(rb"\r\nx-model-digest: ([^\r]*)\r\n")
_HANG_SECONDS = 30.0
_SHED_PAUSE_SECONDS = 0.02

RightAnswers = Mapping[str, Sequence[bytes]]


@dataclass
class _Exchange:
    index: int
    sent: float = field(default_factory=time.monotonic)
    is_retried: bool = False


class Client:
    """Client that sends one request after the other to a server, on one connection.

    Args:
        host, port: Address of the server.
        answers: The right answers to the bodies, by digest of the model.
        counts: Receives the outcomes.
        pause: Seconds between an answer and the next request.
    """

    def __init__(
        self, host: str, port: int, answers: RightAnswers, counts: Counts, *, pause: float
    ) -> None:
        self._address = host, port
        self._answers = answers
        self._counts = counts
        self._pause = pause
        self._indices = itertools.cycle(range(len(BODIES)))
        self._exchange: _Exchange | None = None
        self._connection: _Connection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._is_stopping = False
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Connect, and send the first request."""
        self._connecting = self._loop.create_task(self._connect())

    async def stop(self) -> None:
        """Wait for the last answer, and close the connection."""
        self._is_stopping = True
        while self._exchange is not None:
            self.check_hang()
            await asyncio.sleep(0.01)
        if self._connection:
            self._connection.abort()

    def check_hang(self) -> None:
        """Give up a request that has no answer for a long time."""
        if self._exchange and time.monotonic() - self._exchange.sent > _HANG_SECONDS:
            self._lose("no answer in 30 s")
            if self._connection:
                self._connection.abort()

    async def _connect(self) -> None:
        deadline = time.monotonic() + _HANG_SECONDS
        while True:
            try:
                await self._loop.create_connection(lambda: _Connection(self), *self._address)
            except OSError as error:
                if time.monotonic() > deadline:
                    self._lose(f"cannot connect: {error}")
                    return
                await asyncio.sleep(0.05)
            else:
                return

    def on_connect(self, connection: "_Connection") -> None:
        """Send the request whose connection broke, or a new one."""
        self._connection = connection
        self._send()

    def on_answer(self, head: bytes, content: bytes) -> None:
        """Check an answer, and send the next request."""
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            self._counts.fail("lost", f"an answer without a request: {head!r}")
            return
        status = int(head[9:12])
        self._counts.statuses[status] += 1
        self._check(exchange.index, status, head, content)
        if self._is_stopping:
            return
        pause = max(self._pause, _SHED_PAUSE_SECONDS * (status == 503))
        if pause:
            self._loop.call_later(pause, self._send_next)
        else:
            self._send()

    def on_close(self, error: Exception | None) -> None:
        """Connect again; send the request that has no answer once more."""
        self._connection = None
        if (exchange := self._exchange) is not None:
            if exchange.is_retried or not self._counts.may_break():
                self._lose(f"the connection broke: {error!r}")
            else:
                exchange.is_retried = True
                self._counts.retried += 1
        if not self._is_stopping or self._exchange:
            self.start()

    def _send(self) -> None:
        if self._connection is None or (self._is_stopping and self._exchange is None):
            return
        if self._exchange is None:
            self._exchange = _Exchange(next(self._indices))
        self._connection.send(BODIES[self._exchange.index])

    def _send_next(self) -> None:
        # A connection that was made during the pause has its request already.
        if self._exchange is None:
            self._send()

    def _lose(self, cause: str) -> None:
        self._exchange = None
        self._counts.fail("lost", cause)

    def _check(self, index: int, status: int, head: bytes, content: bytes) -> None:
        digest = _DIGEST.search(head)
        if status == 503 and b"\r\nretry-after: " in head:
            return
        if status != 200:
            self._counts.fail(f"status {status}", repr(content[:300]))
        elif digest is None or digest[1].decode() not in self._answers:
            self._counts.fail("wrong", f"no known model in {head!r}")
        elif content != self._answers[digest[1].decode()][index]:
            self._counts.fail("wrong", f"{content!r} of {digest[1]!r} to {BODIES[index]!r}")


class _Connection(asyncio.Protocol):
    def __init__(self, client: Client) -> None:
        self._client = client
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        writer = cast("asyncio.WriteTransport", transport)
        self._write, self.abort = writer.write, writer.abort
        self._client.on_connect(self)

    def send(self, body: bytes) -> None:
        self._write(
            b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%b" % (len(body), body)
        )

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, _, content = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head := head + b"\r\n")
        if length is None or len(content) < int(length[1]):
            return
        self._received = b""
        self._client.on_answer(head, content)

    def connection_lost(self, exc: Exception | None) -> None:
        self._client.on_close(exc)
