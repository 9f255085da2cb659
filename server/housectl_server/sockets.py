"""The socket that a server listens on."""

import errno
import socket

from housectl.errors import LocalEnvironmentError, PortBusyError, UsageError

_BACKLOG = 2048


def bind_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the first address of a host.

    Raises:
        PortBusyError: Another program listens there.
        MachineError: This machine has no such address, or the port needs more rights.
        UsageError: The host has no address, or there is no such port.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=_BACKLOG)
    except (socket.gaierror, OverflowError) as error:
        raise UsageError(
            f"Cannot listen on {host}:{port}: {error}.",
            hint="housectl serve --host 127.0.0.1 --port 8005",
        ) from error
    except OSError as error:
        raise _refused(error, host, port) from error


def _refused(error: OSError, host: str, port: int) -> LocalEnvironmentError:
    if error.errno == errno.EADDRINUSE:
        return PortBusyError(
            f"Another program listens on {host}:{port}.",
            hint=f"housectl serve --port {port + 1}",
        )
    return LocalEnvironmentError(
        f"Cannot listen on {host}:{port}: {error.strerror}.",
        hint="housectl serve --host 127.0.0.1 --port 8005",
    )
