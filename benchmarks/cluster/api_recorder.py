"""A proxy between the command line and the API server that records each request.

It accepts HTTP, forwards over TLS, and changes neither requests nor responses.
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

from tools.dev_cluster.kubectl import kubectl

_CHUNK = 1 << 16


@dataclass(frozen=True)
class Request:
    """A request; a watch is one, however long it lasts. `at` is in seconds since the epoch."""

    at: float
    method: str
    path: str


@dataclass(frozen=True)
class RecordedTraffic:
    """Requests of all clients that use this kubeconfig."""

    kubeconfig: Path
    log: Path

    def requests(self) -> Sequence[Request]:
        """Return the requests so far."""
        return [Request(*json.loads(line)) for line in self.log.read_text().splitlines()]


@contextmanager
def record_requests(directory: Path) -> Iterator[RecordedTraffic]:
    """Run a proxy to the current cluster, with its files in the private `directory`."""
    config = json.loads(
        kubectl("config", "view", "--raw", "--minify", "--flatten", "--output=json")
    )
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    traffic = RecordedTraffic(directory / "kubeconfig", directory / "requests")
    traffic.log.touch()
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    proxy = _Proxy(cluster["server"], authority, _write_certificate(user, directory), traffic.log)
    parent_end, child_end = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_run, args=(proxy, child_end), daemon=True)
    process.start()
    config["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{parent_end.recv()}"}
    traffic.kubeconfig.write_text(json.dumps(config))
    try:
        yield traffic
    finally:
        process.kill()
        process.join()


def _write_certificate(user: Mapping[str, str], directory: Path) -> Path | None:
    """Write the client certificate, unless the requests carry a token instead."""
    if "client-certificate-data" not in user:
        return None
    pair = (user["client-certificate-data"], user["client-key-data"])
    path = directory / "client.pem"
    path.write_bytes(b"\n".join(map(base64.b64decode, pair)))
    return path


def _run(proxy: "_Proxy", port_pipe: Connection) -> None:
    asyncio.run(proxy.listen(port_pipe))


@dataclass(frozen=True)
class _Proxy:
    server: str
    authority: str
    certificate: Path | None
    log: Path

    async def listen(self, port_pipe: Connection) -> None:
        """Send the port to the parent process, and listen until killed."""
        listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port_pipe.send(listener.sockets[0].getsockname()[1])
        await listener.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward a connection: requests one by one, responses as they arrive."""
        server = urlsplit(self.server)
        tls = ssl.create_default_context(cadata=self.authority)
        if self.certificate:
            tls.load_cert_chain(self.certificate)
        responses, requests = await asyncio.open_connection(
            server.hostname, server.port or 443, ssl=tls
        )
        response_task = asyncio.create_task(_forward(responses, writer))
        with suppress(asyncio.IncompleteReadError, OSError):
            while await self._forward_request(reader, requests):
                pass
        requests.close()
        await response_task

    async def _forward_request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Forward a request; return True if another one may follow on the connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        method, path, _ = first.split()
        with self.log.open("a") as file:
            file.write(json.dumps([time.time(), method, path]) + "\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        writer.write(head + await reader.readexactly(int(headers.get("content-length", 0))))
        if "upgrade" not in headers:
            return True
        await _forward(reader, writer)
        return False


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()
