"""The listening socket of a server."""

import errno
import socket

from housectl.errors import LocalEnvironmentError, PortBusyError, UsageError

_BACKLOG = 2048


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
