"""Acceptance of connections: all that wait, in each turn of the event loop.

uvloop accepts one connection in each turn. Under load, where a turn is long, new connections would
wait for seconds, and health checks with them.
"""

import asyncio
import logging
import socket
from collections.abc import Callable

BACKLOG = 2048

_MAX_ACCEPTS = 256
_PAUSE_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Acceptor:
    """Accepts the connections of a listening socket.

    Args:
        listener: Bound socket; it listens from now on.
        create_protocol: Returns the protocol of a connection.
    """

    def __init__(
        self, listener: socket.socket, create_protocol: Callable[[], asyncio.Protocol]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._create_protocol = create_protocol
        self._tasks: set[asyncio.Task[object]] = set()
        self._pause: asyncio.TimerHandle | None = None
        listener.listen(BACKLOG)
        listener.setblocking(False)  # noqa: FBT003  # the only form
        self._resume()

    def close(self) -> None:
        """Accept no more, and close this process's copy of the socket."""
        if self._pause:
            self._pause.cancel()
        self._loop.remove_reader(self._listener)
        self._listener.close()

    def _resume(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        for _ in range(_MAX_ACCEPTS):
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                # Without a free file, the socket would stay readable and keep the loop busy.
                _log.warning("connections cannot be accepted: %s", error)
                self._loop.remove_reader(self._listener)
                self._pause = self._loop.call_later(_PAUSE_SECONDS, self._resume)
                return
            task = self._loop.create_task(
                self._loop.connect_accepted_socket(self._create_protocol, connection)
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
