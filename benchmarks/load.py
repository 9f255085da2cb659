"""Load on one URL: by wrk where that is installed, else by a small generator of our own."""

import asyncio
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import quantiles
from typing import cast
from urllib.parse import urlsplit

_CONCURRENCY = 8
_CONTENT_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")
_REQUEST = (
    "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
    "content-length: {length}\r\n\r\n{body}"
)
_SCRIPT = """
local requests, number = {{}}, 0
init = function()
  wrk.headers["content-type"] = "application/json"
  for body in io.lines([[{bodies}]]) do
    requests[#requests + 1] = wrk.format("POST", nil, nil, body)
  end
end
request = function()
  number = number % #requests + 1
  return requests[number]
end
done = function(summary, latency)
  local wrong = summary.errors
  local form = '{{"requests": %d, "microseconds": %d, "p50": %f, "p99": %f, "errors": %d}}'
  io.write(form:format(summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    wrong.connect + wrong.read + wrong.write + wrong.status + wrong.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What a server bore.

    Attributes:
        rate: Requests per second.
        p50, p99: Percentiles of the time to the whole answer, in milliseconds.
    """

    rate: float
    p50: float
    p99: float


def generator() -> str:
    """Return the name of what makes the load."""
    return "wrk" if shutil.which("wrk") else "benchmarks/load.py"


def load(url: str, bodies: Sequence[str], *, seconds: float, scratch: Path) -> Load:
    """Post bodies to a URL in turn, over eight connections, each as soon as it has its answer.

    Args:
        url: What to post to.
        bodies: Texts of one line each.
        seconds: For how long.
        scratch: Directory for files that are needed meanwhile.

    Raises:
        RuntimeError: An answer was not 200.
    """
    if shutil.which("wrk"):
        return _wrk(url, bodies, seconds, scratch)
    import uvloop

    return uvloop.run(_own(url, bodies, seconds))


def _wrk(url: str, bodies: Sequence[str], seconds: float, scratch: Path) -> Load:
    script, lines = scratch / "load.lua", scratch / "bodies.txt"
    lines.write_text("".join(f"{body}\n" for body in bodies))
    script.write_text(_SCRIPT.format(bodies=lines))
    command = ("wrk", "-t1", f"-c{_CONCURRENCY}", f"-d{seconds:.0f}s", "-s", script, url)
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    found = json.loads(said[said.rindex("{") :])
    if found["errors"]:
        raise RuntimeError(f"{found['errors']} requests failed")
    return Load(
        rate=found["requests"] / found["microseconds"] * 1e6,
        p50=found["p50"] / 1000,
        p99=found["p99"] / 1000,
    )


async def _own(url: str, bodies: Sequence[str], seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    to = urlsplit(url)
    host, _, port = to.netloc.partition(":")
    requests = cycle(
        [
            _REQUEST.format(path=to.path, host=to.netloc, length=len(body.encode()), body=body)
            for body in bodies
        ]
    )
    clients = [_Client(requests, latencies, loop.create_future()) for _ in range(_CONCURRENCY)]
    began = time.perf_counter()
    for client in clients:
        await loop.create_connection(lambda client=client: client, host, int(port))  # type: ignore[misc]
    failed, _ = await asyncio.wait(
        [client.failed for client in clients],
        timeout=seconds,
        return_when=asyncio.FIRST_COMPLETED,
    )
    elapsed = time.perf_counter() - began
    for failure in failed:
        raise RuntimeError(failure.result())
    p50, p99 = (1000 * each for each in _percentiles(latencies))
    return Load(rate=len(latencies) / elapsed, p50=p50, p99=p99)


class _Client(asyncio.Protocol):
    """One connection: sends a request, waits for its answer, sends the next.

    Args:
        requests: What it sends, of which other connections take their share.
        latencies: Gets the seconds of each request.
        failed: Gets what went wrong, if something does.
    """

    def __init__(
        self, requests: Iterator[str], latencies: list[float], failed: asyncio.Future[str]
    ) -> None:
        self.failed = failed
        self._requests = requests
        self._latencies = latencies
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = cast("asyncio.WriteTransport", transport).write
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, _, content = self._received.partition(b"\r\n\r\n")
        length = _CONTENT_LENGTH.search(head)
        if length is None or len(content) < int(length[1]):
            return
        self._latencies.append(time.perf_counter() - self._sent)
        self._received = b""
        if head.startswith(b"HTTP/1.1 200 "):
            self._send()
        else:
            self._fail(f"{head!r} {content!r}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the server closed the connection: {exc}")

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._write(next(self._requests).encode())

    def _fail(self, why: str) -> None:
        if not self.failed.done():
            self.failed.set_result(why)


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    hundredths = quantiles(seconds, n=100)
    return hundredths[49], hundredths[98]
