"""Start and end of a server, which answers the requests that have arrived before it ends."""

import asyncio
import socket
from collections.abc import Callable

import uvicorn

from housectl_server.http.accepting import Acceptor
from housectl_server.http.connections import ConnectionTable
from housectl_server.http.sockets import refuse_handshakes

# Handshakes that have begun end within the first time. A client with an idle connection learns
# from its next answer that the connection closes, if it sends a request within the second time.
_HANDSHAKE_SECONDS = 0.1
_IDLE_SECONDS = 0.5
_CHECK_SECONDS = 0.05


class DrainingServer(uvicorn.Server):
    """uvicorn's server, which loses no request when it ends.

    uvicorn closes idle connections and the listening socket at once, with the requests and
    connections that the system has received and the server has not read.

    Args:
        config: uvicorn's settings.
        table: Open connections.
        owns_listener: True if no other process accepts the connections that remain.
        on_start: Called when the server listens.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        table: ConnectionTable,
        *,
        owns_listener: bool,
        on_start: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._table = table
        self._owns_listener = owns_listener
        self._on_start = on_start
        self._acceptors: list[Acceptor] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and report it."""
        await super().startup(sockets=[])
        self._acceptors = [Acceptor(each, self._create_protocol) for each in sockets or ()]
        self._on_start()

    def _create_protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config,
            server_state=self.server_state,
            app_state={},
            _loop=asyncio.get_running_loop(),
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept the connections that have arrived, answer all requests, and close."""
        if self._owns_listener:
            for listener in sockets or ():
                refuse_handshakes(listener)
        self._table.drain()
        now = asyncio.get_running_loop().time
        start = now()
        while now() < start + _HANDSHAKE_SECONDS or (
            self._table.has_connections and now() < start + _IDLE_SECONDS
        ):
            await asyncio.sleep(_CHECK_SECONDS)
        for acceptor in self._acceptors:
            acceptor.close()
        await super().shutdown(sockets=[])
