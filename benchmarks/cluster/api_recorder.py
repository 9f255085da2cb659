"""A proxy between the command line and the API server that writes down each request.

It speaks HTTP to the one and TLS to the other, and adds nothing to what they say.
"""

import asyncio
import base64
import json
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

from tests.cluster.nodes import kubectl

_CHUNK = 1 << 16


@dataclass(frozen=True)
class Request:
    """A request; a watch is one, however long it lasts. `at` is in seconds since the epoch."""

    at: float
    method: str
    path: str


@dataclass(frozen=True)
class RecordedTraffic:
    """What is asked of the API server by those who use this kubeconfig."""

    kubeconfig: Path
    log: Path

    def requests(self) -> Sequence[Request]:
        """Return the requests so far."""
        return [Request(*json.loads(line)) for line in self.log.read_text().splitlines()]


@contextmanager
def counting(directory: Path) -> Iterator[RecordedTraffic]:
    """Run a proxy to the current cluster; `directory` is private, and gets its files."""
    shown = kubectl("config", "view", "--raw", "--minify", "--flatten", "--output=json")
    config = json.loads(shown)
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    counted = RecordedTraffic(directory / "kubeconfig", directory / "requests")
    counted.log.touch()
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    proxy = _Proxy(cluster["server"], authority, _certificate(user, directory), counted.log)
    near, far = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_run, args=(proxy, far), daemon=True)
    process.start()
    config["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{near.recv()}"}
    counted.kubeconfig.write_text(json.dumps(config))
    try:
        yield counted
    finally:
        process.kill()
        process.join()


def _certificate(user: Mapping[str, str], directory: Path) -> Path | None:
    """Write down what proves who is asking where that is no token, which each request carries."""
    if "client-certificate-data" not in user:
        return None
    both = (user["client-certificate-data"], user["client-key-data"])
    path = directory / "client.pem"
    path.write_bytes(b"\n".join(map(base64.b64decode, both)))
    return path


def _run(proxy: "_Proxy", starter: Connection) -> None:
    asyncio.run(proxy.listen(starter))


@dataclass(frozen=True)
class _Proxy:
    server: str
    authority: str
    certificate: Path | None
    log: Path

    async def listen(self, starter: Connection) -> None:
        """Listen until killed; tell on which port."""
        listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        starter.send(listener.sockets[0].getsockname()[1])
        await listener.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry a connection: requests are read one by one, answers are passed on as they come."""
        server = urlsplit(self.server)
        tls = ssl.create_default_context(cadata=self.authority)
        if self.certificate:
            tls.load_cert_chain(self.certificate)
        answers, requests = await asyncio.open_connection(
            server.hostname, server.port or 443, ssl=tls
        )
        back = asyncio.create_task(_pass_on(answers, writer))
        with suppress(asyncio.IncompleteReadError, OSError):
            while await self._pass_request(reader, requests):
                pass
        requests.close()
        await back

    async def _pass_request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Pass a request on, and tell whether another one may follow on the connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        method, path, _ = first.split()
        with self.log.open("a") as file:
            file.write(json.dumps([time.time(), method, path]) + "\n")
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
