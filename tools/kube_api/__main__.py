"""Serve the objects of a file: `python -m tools.kube_api OBJECTS CERTIFICATE`.

It prints its port, and ends with its standard input.

It has lists in pages, label and field selectors, watches and deletions, and sends lists in chunks,
as Kubernetes does. A POST of `{"type": "MODIFIED", "object": {…}}` to `/changes/PATH` changes an
object and sends the event to the watches of its collection.
"""

import json
import ssl
import sys
from collections.abc import Iterable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from tools.kube_api.selectors import fields_match, labels_match

_CHANGES = "/changes"


class KubeApiServer(ThreadingHTTPServer):
    """Serves objects.

    Args:
        objects: Objects by the paths of their collections.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, objects: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.collections = {
            path: {_name(item): item for item in items} for path, items in objects.items()
        }
        self.texts = {
            (path, _name(item)): json.dumps(item, separators=(",", ":")).encode()
            for path, items in objects.items()
            for item in items
        }
        self.watches: list[tuple[str, Queue[bytes]]] = []
        self.version = 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: KubeApiServer

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        collection, _, name = url.path.rpartition("/")
        if url.path in self.server.collections and "watch" in query:
            self._watch(url.path, float(query["timeoutSeconds"]))
        elif url.path in self.server.collections:
            self._list(url.path, query)
        elif text := self.server.texts.get((collection, name)):
            self._send(200, text)
        else:
            self._send(404, json.dumps({"message": f"{url.path} not found"}).encode())

    def do_POST(self) -> None:
        path = self.path.removeprefix(_CHANGES)
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server, item = self.server, event["object"]
        server.version += 1
        item["metadata"]["resourceVersion"] = str(server.version)
        server.collections[path][_name(item)] = item
        server.texts[path, _name(item)] = json.dumps(item, separators=(",", ":")).encode()
        for watched, queue in server.watches:
            if watched == path:
                queue.put(json.dumps(event).encode() + b"\n")
        self._send(200, b"{}")

    def do_DELETE(self) -> None:
        url = urlsplit(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        labels = parse_qs(url.query).get("labelSelector", [""])[0]
        collection, _, name = url.path.rpartition("/")
        if url.path in self.server.collections:
            items = self.server.collections[url.path].items()
            names = [name for name, item in items if labels_match(item, labels)]
            self._delete(url.path, names)
        else:
            self._delete(collection, [name])

    def _delete(self, path: str, names: Iterable[str]) -> None:
        for name in names:
            self.server.collections[path].pop(name, None)
            self.server.texts.pop((path, name), None)
        self._send(200, b"{}")

    def _list(self, path: str, query: Mapping[str, str]) -> None:
        labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
        names = [
            name
            for name, item in self.server.collections[path].items()
            if labels_match(item, labels) and fields_match(item, fields)
        ]
        start = int(query.get("continue", "0"))
        end = start + int(query.get("limit", "0")) if "limit" in query else len(names)
        token = str(end) if end < len(names) else ""
        metadata = {"resourceVersion": str(self.server.version), "continue": token}
        self._send_chunks(
            [
                b'{"kind":"List","apiVersion":"v1","metadata":%b,"items":['
                % json.dumps(metadata).encode(),
                *self._items(path, names[start:end]),
                b"]}\n",
            ]
        )

    def _items(self, path: str, names: Sequence[str]) -> Iterable[bytes]:
        for number, name in enumerate(names):
            yield (b"," if number else b"") + self.server.texts[path, name]

    def _watch(self, path: str, seconds: float) -> None:
        self._send_head(200, "Transfer-Encoding: chunked")
        queue: Queue[bytes] = Queue()
        watch = (path, queue)
        self.server.watches.append(watch)
        try:
            while True:
                self._send_chunk(queue.get(timeout=seconds))
        except (Empty, OSError):
            self.close_connection = True
        finally:
            self.server.watches.remove(watch)

    def _send(self, status: int, content: bytes) -> None:
        self._send_head(status, f"Content-Length: {len(content)}")
        self.wfile.write(content)

    def _send_chunks(self, chunks: Iterable[bytes]) -> None:
        framed = (b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
        self._send_head(200, "Transfer-Encoding: chunked")
        self.wfile.write(b"".join(framed) + b"0\r\n\r\n")

    def _send_chunk(self, chunk: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        self.wfile.flush()

    def _send_head(self, status: int, length: str) -> None:
        name, _, value = length.partition(": ")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def _name(item: Mapping[str, object]) -> str:
    metadata = item["metadata"]
    return str(metadata["name"]) if isinstance(metadata, Mapping) else ""


def main() -> None:
    """Serve until the end of standard input."""
    objects, certificate = sys.argv[1:]
    server = KubeApiServer(json.loads(Path(objects).read_bytes()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    # A handshake in the listening thread would let one client block the others.
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
