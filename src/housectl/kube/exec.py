"""Commands in containers: their streams over a WebSocket, as the API server carries them.

The client's own stream class joins all that has arrived into one growing text, which takes minutes
for a model of some megabytes; this one hands on each frame.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from housectl.errors import ClusterUnreachableError, PodError
from housectl.kube.errors import ApiServer, error_from_response, translate_errors

if TYPE_CHECKING:
    from websocket import WebSocket

_STDIN, _STDOUT, _STDERR, _STATUS = range(4)
_CHUNK = 1 << 18
# By SIGKILL or SIGTERM, as a command ends whose pod is taken away.
_KILLED = {"137", "143"}
_SILENCE_SECONDS = 60.0


class Streams:
    """The streams of one command.

    Args:
        socket: Carries frames whose first byte names the stream.
        server: For what is said when the connection breaks.
    """

    def __init__(self, socket: "WebSocket", server: ApiServer) -> None:
        self._socket = socket
        self._server = server
        self._said = b""

    def send(self, data: bytes) -> None:
        """Write to the command's standard input, which stays open."""
        with self._connected():
            for start in range(0, len(data), _CHUNK):
                self._socket.send_binary(bytes([_STDIN]) + data[start : start + _CHUNK])

    def read(self) -> Iterator[bytes]:
        """Yield what the command writes to its standard output, until it has ended well.

        Raises:
            PodError: It ended badly; the message has what it wrote to standard error.
            ClusterUnreachableError: The connection broke before the end.
        """
        from websocket import ABNF

        while True:
            with self._connected():
                opcode, frame = self._socket.recv_data()
            if opcode == ABNF.OPCODE_CLOSE or not frame:
                raise _broken(self._server, "the connection closed before the command had ended")
            stream, content = frame[0], frame[1:]
            if stream == _STDOUT:
                yield content
            elif stream == _STDERR:
                self._said += content
            elif stream == _STATUS:
                self._check(content)
                return

    def finish(self) -> None:
        """Wait until the command has ended well; what it writes to standard output is dropped.

        Raises:
            PodError: It ended badly.
            ClusterUnreachableError: The connection broke before the end.
        """
        for _ in self.read():
            pass

    def close(self) -> None:
        """Close the connection; a command that still runs loses its streams."""
        self._socket.close()

    def _check(self, status: bytes) -> None:
        told = json.loads(status)
        if told.get("status") == "Success":
            return
        said = self._said.decode(errors="replace").strip() or told.get("message", "no reason")
        causes = told.get("details", {}).get("causes", [])
        codes = {each["message"] for each in causes if each.get("reason") == "ExitCode"}
        if not codes or codes & _KILLED:
            raise _broken(self._server, said)
        raise PodError(
            f"A command on the volume failed: {said}.",
            hint="housectl doctor   # checks the claim",
        )

    @contextmanager
    def _connected(self) -> Iterator[None]:
        from websocket import WebSocketException

        try:
            with translate_errors(self._server):
                yield
        except WebSocketException as error:
            raise _broken(self._server, str(error)) from error


def open_streams(
    configuration: object, url: str, headers: Mapping[str, str], server: ApiServer
) -> Streams:
    """Start a command at an exec URL.

    Raises:
        ClusterUnreachableError: The API server refuses, or does not answer.
    """
    from kubernetes.stream.ws_client import create_websocket, get_websocket_url
    from websocket import WebSocketBadStatusException, WebSocketException

    known = {name.lower(): value for name, value in headers.items()}
    protocol = {"sec-websocket-protocol": "v4.channel.k8s.io"}
    try:
        socket = create_websocket(configuration, get_websocket_url(url), {**known, **protocol})
    except WebSocketBadStatusException as error:
        raise error_from_response(server, error.status_code, error.resp_body or b"") from error
    except WebSocketException as error:
        raise _broken(server, str(error)) from error
    socket.settimeout(_SILENCE_SECONDS)
    return Streams(socket, server)


def _broken(server: ApiServer, why: str) -> ClusterUnreachableError:
    return ClusterUnreachableError(
        f"The connection to a pod through {server.address} broke: {why}.",
        hint="housectl doctor   # then run the same command again",
    )
