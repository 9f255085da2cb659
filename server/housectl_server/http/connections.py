"""Limits on connections: their number, the time of each, and the size of a request's head.

uvicorn has none of these limits. `LimitedProtocol` adds them where uvicorn hands over its events.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from itertools import takewhile
from typing import Any

from uvicorn._types import ASGI3Application, HTTPScope
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from housectl_server.http.admission import (
    Admission,
    is_whole_request,
    overload_response,
)
from housectl_server.http.answer_headers import (
    REQUEST_ID,
    Header,
    RequestRecorder,
    new_request_id,
)
from housectl_server.http.cors import CorsPolicy
from housectl_server.http.handlers import OTHER
from housectl_server.http.problems import problem_without_request

MAX_SECONDS_WITHOUT_PROGRESS = 10.0
MAX_HEADERS = 100
MAX_HEAD_BYTES = 64 * 1024
MAX_PIPELINED_REQUESTS = 100
MAX_CHUNKS = 4096

_CHECK_SECONDS = 1.0
# Limits are checked after each slice, so a slice bounds the work in excess of them.
_SLICE_BYTES = 4096
# The parser drops the body of a request for an upgrade, as Java's HttpClient sends it by default.
# A server may ignore the header, so it is renamed. JSON cannot contain it after a line break.
_UPGRADE_HEADER = re.compile(rb"(?<=\r\n)upgrade(?=[ \t]*:)", re.IGNORECASE)

_log = logging.getLogger(__name__)


class ConnectionTable:
    """Open connections, in the order of their last progress.

    A connection makes progress when it opens, when a request starts, and when one is answered. So a
    health check finds room even among attackers: it replaces the connection that has been without
    progress for the longest time.

    Args:
        capacity: Maximum number of connections.
        admission: Limits the predictions that wait.
        get_model_headers: Returns the headers that name the served model.
        cors: Gives refusals of predictions the headers that web pages need.
        record: Records refused requests, for metrics.

    Attributes:
        is_draining: True if the server is about to end.
    """

    def __init__(
        self,
        *,
        capacity: int,
        admission: Admission,
        get_model_headers: Callable[[], Sequence[Header]],
        cors: CorsPolicy,
        record: RequestRecorder,
    ) -> None:
        self.admission = admission
        self.get_model_headers = get_model_headers
        self.cors = cors
        self.record = record
        self.is_draining = False
        self._capacity = capacity
        self._progressed_at: dict[LimitedProtocol, float] = {}

    @property
    def has_connections(self) -> bool:
        """True if a connection is open."""
        return bool(self._progressed_at)

    def drain(self) -> None:
        """Close each connection after the answer to its last request."""
        self.is_draining = True
        for connection in self._progressed_at:
            connection.close_after_answer()

    async def close_expired_connections(self) -> None:
        """Close connections that have been without progress for too long, until cancelled."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            for connection in self._expired(asyncio.get_running_loop().time()):
                connection.expire()

    def add(self, connection: "LimitedProtocol", now: float) -> None:
        """Add a new connection; if the table is full, close another one."""
        if len(self._progressed_at) >= self._capacity:
            _log.warning("%d connections are open; the slowest is closed", self._capacity)
            waiting = (each for each in self._progressed_at if not each.is_being_answered)
            slowest = next(waiting, next(iter(self._progressed_at)))
            self.remove(slowest)
            slowest.abort()
        self._progressed_at[connection] = now

    def renew(self, connection: "LimitedProtocol", now: float) -> None:
        """Record progress of a connection, which makes it the last one to be replaced."""
        if self._progressed_at.pop(connection, None) is not None:
            self._progressed_at[connection] = now

    def remove(self, connection: "LimitedProtocol") -> None:
        """Forget a closed connection."""
        self._progressed_at.pop(connection, None)

    def _expired(self, now: float) -> list["LimitedProtocol"]:
        limit = now - MAX_SECONDS_WITHOUT_PROGRESS
        return [
            connection
            for connection, _ in takewhile(
                lambda item: item[1] < limit, self._progressed_at.items()
            )
        ]


class TooManyChunksError(Exception):
    """A body has too many chunks; the parser reports it to uvicorn as invalid HTTP."""


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits. An instance is one connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        table: ConnectionTable,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._table = table
        self._admission = table.admission
        self._is_waiting = False
        self._running_cycle: RequestResponseCycle | None = None
        self._partial_scope: HTTPScope | None = None
        self._head_bytes = 0
        self._chunks = 0

    @property
    def is_being_answered(self) -> bool:
        """True if the server, not the client, has to act next."""
        cycle = self.cycle
        is_complete = cycle is not None and not cycle.more_body and not cycle.response_complete
        return is_complete and not self.flow.write_paused

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Add the connection to the table."""
        super().connection_made(transport)
        self._table.add(self, self.loop.time())

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection from the table."""
        self._table.remove(self)
        self._end_running_cycle()
        self._end_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes until a limit is exceeded, or refuse a prediction."""
        starts_prediction = self._admission.is_prediction(data)
        if starts_prediction and self._admission.is_full and self._can_refuse(data):
            self._refuse_prediction(data)
            return
        if b"pgrade" in data:
            data = _UPGRADE_HEADER.sub(b"ignored", data)
        if len(data) > _SLICE_BYTES:
            self._parse_in_slices(data)
            return
        super().data_received(data)
        # A complete request in one piece, the usual case, can have too many headers only.
        cycle = self.cycle
        is_complete = cycle and not cycle.more_body and not cycle.response_complete
        if is_complete and starts_prediction and not self._is_waiting:
            self._is_waiting = True
            self._admission.begin()
        if not is_complete or self.pipeline or len(self.headers) > MAX_HEADERS:
            self._check_limits(len(data))
        if self._table.is_draining:
            self.close_after_answer()

    def on_chunk_header(self) -> None:
        """Count a chunk of a body; a chunk costs time, however short it is."""
        self._chunks += 1
        if self._chunks > MAX_CHUNKS:
            raise TooManyChunksError

    def on_response_complete(self) -> None:
        """Allow the time and the chunks of a request again."""
        self._chunks = 0
        self._end_waiting()
        self._table.renew(self, self.loop.time())
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
        else:
            # uvicorn would start a timer for the idle connection; the table has one for all.
            self.flow.resume_reading()

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running_cycle = cycle
        super()._start_asgi_task(cycle, app)

    def _unsupported_upgrade_warning(self) -> None:
        # The parser reads nothing after a request for an upgrade, so no other request follows.
        self.cycle.keep_alive = False

    def close_after_answer(self) -> None:
        """Close the connection after the answer to the newest request, if there is one."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False

    def expire(self) -> None:
        """Close the connection: its time for a request is over."""
        if self._has_partial_request and not self.transport.is_closing():
            seconds = MAX_SECONDS_WITHOUT_PROGRESS
            self._refuse(
                HTTPStatus.REQUEST_TIMEOUT, f"The request took longer than {seconds:.0f} seconds."
            )
        else:
            self.abort()

    def abort(self) -> None:
        """Close the connection without an answer."""
        self._end_running_cycle()
        self.transport.abort()

    def _end_running_cycle(self) -> None:
        # uvicorn does so with the newest cycle only, and an earlier one may be running.
        if self._running_cycle:
            self._running_cycle.disconnected = True

    @property
    def _has_partial_request(self) -> bool:
        cycle = self.cycle
        has_partial_body = cycle is not None and cycle.more_body and not cycle.response_started
        return self._has_partial_head or has_partial_body

    @property
    def _has_partial_head(self) -> bool:
        # uvicorn makes a scope at the first byte of a request, and a cycle after its headers.
        return self.scope is not None and (self.cycle is None or self.cycle.scope is not self.scope)

    def _can_refuse(self, data: bytes) -> bool:
        """Return True if received bytes are one request, which starts after a complete answer."""
        cycle = self.cycle
        is_idle = cycle is None or (cycle.response_complete and not cycle.more_body)
        return (
            is_idle
            and not self._has_partial_head
            and not self.flow.write_paused
            and not self._table.is_draining
            and is_whole_request(data)
        )

    def _refuse_prediction(self, data: bytes) -> None:
        """Answer a request that would wait for too long, past the parser."""
        self._admission.on_refusal()
        self._table.renew(self, self.loop.time())
        default_headers = self.server_state.default_headers
        self.transport.write(
            overload_response(
                data,
                default_headers,
                (*self._table.get_model_headers(), *self._table.cors.headers_of(data)),
            )
        )

    def _end_waiting(self) -> None:
        if self._is_waiting:
            self._is_waiting = False
            self._admission.end()

    def _parse_in_slices(self, data: bytes) -> None:
        for start in range(0, len(data), _SLICE_BYTES):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + _SLICE_BYTES])
            self._check_limits(_SLICE_BYTES)
            if self._table.is_draining:
                self.close_after_answer()

    def _check_limits(self, received: int) -> None:
        if self.scope is not self._partial_scope:
            self._partial_scope, self._head_bytes = self.scope, 0
            self._table.renew(self, self.loop.time())
        if self._has_partial_head:
            self._head_bytes += received
        if self._head_bytes > MAX_HEAD_BYTES or len(self.headers or ()) > MAX_HEADERS:
            self._refuse(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                f"The request has more than {MAX_HEADERS} headers or {MAX_HEAD_BYTES} bytes before "
                "its body.",
            )
        elif len(self.pipeline) > MAX_PIPELINED_REQUESTS:
            self.abort()

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer instead of the application, which has no complete request, and close."""
        if self.transport.is_closing():
            return
        self._end_running_cycle()
        self._table.record((OTHER, OTHER, status, 0.0))
        request_id = new_request_id()
        response = problem_without_request(request_id.decode(), status, detail)
        headers = (
            *self.server_state.default_headers,
            *response.raw_headers,
            (REQUEST_ID, request_id),
            *self._table.get_model_headers(),
        )
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[status], lines, bytes(response.body)))
        self.transport.close()
