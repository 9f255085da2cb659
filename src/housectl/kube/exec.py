"""Commands in containers: their streams over a WebSocket of the API server.

The client library's own stream class joins all output into one growing text, which takes minutes
for a model of some megabytes. This module passes each frame on.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from housectl.errors import ClusterError, ClusterUnreachableError, PodError
from housectl.kube.errors import ApiServer, translate_errors

if TYPE_CHECKING:
    from websocket import WebSocket

_STDIN, _STDOUT, _STDERR, _STATUS = range(4)
_CHUNK = 1 << 18
# SIGKILL and SIGTERM end a command whose pod is deleted.
_KILLED = {"137", "143"}
_SILENCE_SECONDS = 60.0


class ExecStreams:
    """The streams of one command.

    Args:
        socket: Carries frames whose first byte is the number of the stream.
        server: The API server that the socket is connected to.
    """

    def __init__(self, socket: "WebSocket", server: ApiServer) -> None:
        self._socket = socket
        self._server = server
        self._stderr = b""

    def send(self, data: bytes) -> None:
        """Write to the command's standard input, which stays open."""
        with self._translate_errors():
            for start in range(0, len(data), _CHUNK):
                self._socket.send_binary(bytes([_STDIN]) + data[start : start + _CHUNK])

    def read(self) -> Iterator[bytes]:
        """Yield the command's standard output until the command succeeds.

        Raises:
            PodError: The command failed; the message has its standard error.
            ClusterUnreachableError: The connection broke before the command ended.
        """
        from websocket import ABNF

        while True:
            with self._translate_errors():
                opcode, frame = self._socket.recv_data()
            if opcode == ABNF.OPCODE_CLOSE or not frame:
                raise _connection_broken(self._server, "it closed before the command ended")
            stream, content = frame[0], frame[1:]
            if stream == _STDOUT:
                yield content
            elif stream == _STDERR:
                self._stderr += content
            elif stream == _STATUS:
                self._check(content)
                return

    def finish(self) -> None:
        """Wait until the command succeeds, and drop its standard output.

        Raises:
            PodError: The command failed.
            ClusterUnreachableError: The connection broke before the command ended.
        """
        for _ in self.read():
            pass

    def close(self) -> None:
        """Close the connection; a command that still runs loses its streams."""
        self._socket.close()

    def _check(self, frame: bytes) -> None:
        status = json.loads(frame)
        if status.get("status") == "Success":
            return
        stderr = self._stderr.decode(errors="replace").strip()
        message = stderr or status.get("message", "no reason")
        causes = status.get("details", {}).get("causes", [])
        codes = {cause["message"] for cause in causes if cause.get("reason") == "ExitCode"}
        if not codes or codes & _KILLED:
            raise _connection_broken(self._server, message)
        raise PodError(
            f"A command in a pod failed: {message}.", hint="housectl doctor   # checks the PVC"
        )

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        from websocket import WebSocketException

        try:
            with translate_errors(self._server):
                yield
        except WebSocketException as error:
            raise _connection_broken(self._server, str(error)) from error


def open_streams(
    configuration: object,
    url: str,
    headers: Mapping[str, str],
    *,
    server: ApiServer,
    error_from: Callable[[int, bytes], ClusterError],
) -> ExecStreams:
    """Start a command at an exec URL.

    Args:
        configuration: The client library's.
        url: Path and query of the command.
        headers: The request's.
        server: The API server.
        error_from: Returns the error for the status and body of a failed response.

    Raises:
        ClusterError: The API server rejects the command.
        ClusterUnreachableError: The API server does not respond.
    """
    from kubernetes.stream.ws_client import create_websocket, get_websocket_url
    from websocket import WebSocketBadStatusException, WebSocketException

    lower_case = {name.lower(): value for name, value in headers.items()}
    protocol = {"sec-websocket-protocol": "v4.channel.k8s.io"}
    try:
        socket = create_websocket(configuration, get_websocket_url(url), lower_case | protocol)
    except WebSocketBadStatusException as error:
        raise error_from(error.status_code, error.resp_body or b"") from error
    except WebSocketException as error:
        raise _connection_broken(server, str(error)) from error
    socket.settimeout(_SILENCE_SECONDS)
    return ExecStreams(socket, server)


def _connection_broken(server: ApiServer, reason: str) -> ClusterUnreachableError:
    return ClusterUnreachableError(
        f"The connection to a pod through {server.address} broke: {reason}.",
        hint="housectl doctor   # then run the same command again",
    )
