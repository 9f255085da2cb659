"""A proxy between the command line and the API server that writes down each request.

It speaks HTTP to the one and TLS to the other, and adds nothing to what they say.
"""

import asyncio
import base64
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from threading import Thread
from urllib.parse import SplitResult, urlsplit

from tests.cluster.nodes import kubectl

_CHUNK = 1 << 16


@dataclass(frozen=True)
class Request:
    """A request; a watch is one, however long it lasts. `at` is in seconds since the epoch."""

    at: float
    method: str
    path: str


@dataclass(frozen=True)
class Counted:
    """What was asked of the API server by those who use this kubeconfig."""

    kubeconfig: Path
    requests: list[Request] = field(default_factory=list)


@contextmanager
def counting(directory: Path) -> Iterator[Counted]:
    """Run a proxy to the current cluster; `directory` is private, and gets its kubeconfig."""
    shown = kubectl("config", "view", "--raw", "--minify", "--flatten", "--output=json")
    config = json.loads(shown)
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    proxy = _Proxy(urlsplit(cluster["server"]), _credentials(cluster, user, directory))
    ports: Queue[int] = Queue()
    thread = Thread(target=lambda: asyncio.run(proxy.run(ports.put)))
    thread.start()
    config["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{ports.get()}"}
    kubeconfig = directory / "kubeconfig"
    kubeconfig.write_text(json.dumps(config))
    try:
        yield Counted(kubeconfig, proxy.requests)
    finally:
        proxy.stop()
        thread.join()


class _Proxy:
    def __init__(self, server: SplitResult, tls: ssl.SSLContext) -> None:
        self._server = server
        self._tls = tls
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()
        self.requests: list[Request] = []

    async def run(self, listening: Callable[[int], None]) -> None:
        """Listen until stopped; tell on which port."""
        self._loop = asyncio.get_running_loop()
        listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        listening(listener.sockets[0].getsockname()[1])
        await self._stopped.wait()

    def stop(self) -> None:
        """Stop listening, from any thread; connections that are open end."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopped.set)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry a connection until its end, or until stopped."""
        with suppress(asyncio.CancelledError, asyncio.IncompleteReadError, OSError):
            await self._carry(reader, writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read requests one by one, and pass answers on as they come."""
        host, port = self._server.hostname, self._server.port or 443
        answers, requests = await asyncio.open_connection(host, port, ssl=self._tls)
        back = asyncio.create_task(_pass_on(answers, writer))
        try:
            while await self._pass_request(reader, requests):
                pass
        finally:
            requests.close()
            await back

    async def _pass_request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Pass a request on, and tell whether another one may follow on the connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        method, path, _ = first.split()
        self.requests.append(Request(time.time(), method, path))
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        writer.write(head + await reader.readexactly(int(headers.get("content-length", 0))))
        if "upgrade" not in headers:
            return True
        await _pass_on(reader, writer)
        return False


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()


def _credentials(
    cluster: Mapping[str, str], user: Mapping[str, str], directory: Path
) -> ssl.SSLContext:
    """Return what proves who is asking where that is a certificate; a token is in each request."""
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    tls = ssl.create_default_context(cadata=authority)
    if "client-certificate-data" in user:
        both = (user["client-certificate-data"], user["client-key-data"])
        chain = directory / "client.pem"
        chain.write_bytes(b"\n".join(map(base64.b64decode, both)))
        tls.load_cert_chain(chain)
    return tls
