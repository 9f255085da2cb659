"""The listening sockets of a server, and the number of its connections."""

import ctypes
import errno
import resource
import socket
import struct
import sys
from contextlib import suppress

from housectl.errors import LocalEnvironmentError, PortBusyError, UsageError
from housectl_server.http.accepting import BACKLOG

_MAX_CONNECTIONS = 1000

_IS_LINUX = sys.platform == "linux"
_SO_ATTACH_FILTER = 26
# Instructions of a classic packet filter, which load the flags of a TCP segment, keep SYN and ACK,
# drop the segment if it has SYN alone, and otherwise accept it.
_DROP_HANDSHAKES = (
    (0x30, 0, 0, 13),
    (0x54, 0, 0, 0x12),
    (0x15, 0, 1, 0x02),
    (0x06, 0, 0, 0),
    (0x06, 0, 0, 0xFFFFFFFF),
)


def bind_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket on the first address of a host.

    Raises:
        PortBusyError: Another program listens on the port.
        LocalEnvironmentError: This machine does not have the address, or permission is missing.
        UsageError: The host has no address, or the port is out of range.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=BACKLOG)
    except (socket.gaierror, OverflowError) as error:
        raise UsageError(
            f"Address {host}:{port} is invalid: {error}.",
            hint="housectl serve --host 127.0.0.1 --port 8005",
        ) from error
    except OSError as error:
        raise _bind_error(error, host, port) from error


class SharedPort:
    """A port on which each worker listens with a socket of its own, on Linux.

    The system spreads new connections over the sockets that listen. The first socket is bound
    alone, so two servers never share a port. Other systems do not spread connections, so there all
    workers have the same socket.

    Args:
        host, port: Address to listen on; port 0 picks a free one.
        workers: Number of workers.

    Raises:
        PortBusyError: Another program listens on the port.
        LocalEnvironmentError: This machine does not have the address, or permission is missing.
        UsageError: The host has no address, or the port is out of range.
    """

    def __init__(self, host: str, port: int, *, workers: int) -> None:
        first = bind_socket(host, port)
        self.url = url_of(first)
        self._family, self._address = first.family, first.getsockname()
        if _IS_LINUX:
            first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._listeners = [first]
        for _ in range(1, workers):
            self._listeners.append(self._bind() if _IS_LINUX else first.dup())

    def listener(self, worker: int) -> socket.socket:
        """Return the socket of a worker; it gets no connections before the worker listens."""
        return self._listeners[worker]

    def renew(self, worker: int) -> None:
        """Give up the connections that wait for a worker, so that new ones go to other workers."""
        if _IS_LINUX:
            self._listeners[worker].close()
            self._listeners[worker] = self._bind()

    def keep_only(self, worker: int) -> socket.socket:
        """Return the socket of a worker, and close this process's copies of the other ones."""
        own = self._listeners[worker]
        for listener in self._listeners:
            if listener is not own:
                listener.close()
        return own

    def close(self) -> None:
        """Refuse new connections; workers still accept those that wait."""
        for listener in self._listeners:
            refuse_handshakes(listener)
            listener.close()

    def _bind(self) -> socket.socket:
        listener = socket.socket(self._family, socket.SOCK_STREAM)
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind(self._address)
        return listener


def refuse_handshakes(listener: socket.socket) -> None:
    """Ignore new connections on a socket that is about to close, and accept those under way.

    A connection that arrives between the last call of `accept` and the end of the socket would
    break. Clients repeat an ignored request for a connection after a second.
    """
    if _IS_LINUX:
        program = b"".join(struct.pack("HBBI", *each) for each in _DROP_HANDSHAKES)
        buffer = ctypes.create_string_buffer(program, len(program))
        pointer = struct.pack("HL", len(_DROP_HANDSHAKES), ctypes.addressof(buffer))
        with suppress(OSError):  # a sandbox may forbid packet filters
            listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, pointer)


def url_of(listener: socket.socket) -> str:
    """Return the URL of the server that listens on a socket."""
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def raise_connection_limit() -> int:
    """Raise the limit of open files as far as possible; return the maximum of connections.

    Half of the files remain for the store, and for connections that are about to close.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS refuses an unlimited number.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else min(_MAX_CONNECTIONS, soft // 2)


def _bind_error(error: OSError, host: str, port: int) -> LocalEnvironmentError:
    if error.errno == errno.EADDRINUSE:
        return PortBusyError(
            f"Port {port} on {host} is busy: another program listens on it.",
            hint=f"housectl serve --port {port + 1}",
        )
    return LocalEnvironmentError(
        f"Address {host}:{port} is unavailable: {error.strerror}.",
        hint="housectl serve --host 127.0.0.1 --port 8005",
    )
