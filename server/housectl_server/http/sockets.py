"""The listening socket of a server, and the number of its connections."""

import errno
import resource
import socket
from contextlib import suppress

from housectl.errors import LocalEnvironmentError, PortBusyError, UsageError

_BACKLOG = 2048
_MAX_CONNECTIONS = 1000


def bind_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket on the first address of a host.

    Raises:
        PortBusyError: Another program listens on the port.
        LocalEnvironmentError: This machine does not have the address, or permission is missing.
        UsageError: The host has no address, or the port is out of range.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=_BACKLOG)
    except (socket.gaierror, OverflowError) as error:
        raise UsageError(
            f"Address {host}:{port} is invalid: {error}.",
            hint="housectl serve --host 127.0.0.1 --port 8005",
        ) from error
    except OSError as error:
        raise _bind_error(error, host, port) from error


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
