"""Admission of predictions: a request that would wait for too long is refused at once.

Under overload, a queue grows until each answer is late. Refused requests cost a fraction of a
prediction, because they are not parsed.
"""

import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from time import monotonic

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from housectl_server.http.answer_headers import REQUEST_ID, VALID_ID, Header, new_request_id
from housectl_server.http.problems import MEDIA_TYPE, Problem

# As many requests may always wait, so that a pause of the process refuses no client with a few
# connections.
_MIN_WAITING = 8
_SAMPLE_ANSWERS = 64
_REMEMBERED_ANSWERS = 1024
# A request may wait for a turn of the event loop before it is read, and for another one after that.
_TURNS = 2

_PREDICTION = b"POST %b/predict HTTP/1.1\r\n"
_END_OF_HEAD = b"\r\n\r\n"
# The body of one row. Arrays of rows wait for a thread, not for the event loop.
_START_OF_ROW = _END_OF_HEAD + b"{"
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE)
_REQUEST_ID = re.compile(
    rb"\r\n" + REQUEST_ID + rb":[ \t]*(" + VALID_ID.pattern + rb")[ \t]*\r\n", re.IGNORECASE
)
_SPECIAL_HEADER = re.compile(
    rb"\r\n(?:transfer-encoding:|expect:|connection:(?![ \t]*keep-alive[ \t]*\r\n))", re.IGNORECASE
)

_STATUS = HTTPStatus.SERVICE_UNAVAILABLE
_HEAD = STATUS_LINE[_STATUS] + (
    b"retry-after: 1\r\ncontent-type: %b\r\nx-content-type-options: nosniff\r\n"
    b"content-length: %%d\r\n%b: %%b\r\n%%b\r\n" % (MEDIA_TYPE.encode(), REQUEST_ID)
)
_PROBLEM = Problem(
    title=_STATUS.phrase,
    status=_STATUS,
    detail="The server is overloaded; repeat the request later.",
    request_id="%b",
)
_BODY = _PROBLEM.model_dump_json(exclude_none=True).encode()


class Admission:
    """Counts the predictions that wait, and estimates how many can be answered in time.

    A request counts once it is complete, so slow clients leave no less room for others.

    Args:
        objective: Maximum wait in seconds.
        row_seconds: Time in which the model predicts a row, which limits the capacity until answers
            are measured; 0 if it is unknown.
        root_path: Path under which a proxy serves, which some proxies do not remove.
        on_refusal: Called for each refused request.

    Attributes:
        waiting: Number of predictions that have been read and not answered.
        capacity: Number of predictions that may wait.
    """

    def __init__(
        self,
        *,
        objective: float,
        row_seconds: float = 0.0,
        root_path: str = "",
        on_refusal: Callable[[], None] = lambda: None,
    ) -> None:
        self._predictions = tuple(_PREDICTION % root for root in {b"", root_path.encode()})
        self.waiting = 0
        self.on_refusal = on_refusal
        self._turn_seconds = objective / _TURNS
        expected = self._capacity(1, row_seconds) if row_seconds else _SAMPLE_ANSWERS
        self.capacity = min(expected, _SAMPLE_ANSWERS)
        self._busy_since = 0.0
        self._new_answers = 0
        self._answers = 0.0
        self._busy_seconds = 0.0

    @property
    def is_full(self) -> bool:
        """True if another prediction would wait for too long."""
        return self.waiting >= self.capacity

    def is_prediction(self, data: bytes) -> bool:
        """Return True if received bytes begin with a request to predict one row."""
        return data.startswith(self._predictions) and data.find(_START_OF_ROW) > 0

    def begin(self) -> None:
        """Count a prediction whose request is complete."""
        if not self.waiting:
            self._busy_since = monotonic()
        self.waiting += 1

    def end(self) -> None:
        """Count an answered prediction."""
        self.waiting -= 1
        self._new_answers += 1
        if not self.waiting:
            self._busy_seconds += monotonic() - self._busy_since
        if self._new_answers == _SAMPLE_ANSWERS:
            self._update_capacity()

    def _update_capacity(self) -> None:
        """Measure the time of an answer, with all that the process does while others wait."""
        if self.waiting:
            now = monotonic()
            self._busy_seconds += now - self._busy_since
            self._busy_since = now
        self._answers += self._new_answers
        self._new_answers = 0
        self.capacity = self._capacity(self._answers, self._busy_seconds)
        if self._answers > _REMEMBERED_ANSWERS:
            self._answers, self._busy_seconds = self._answers / 2, self._busy_seconds / 2

    def _capacity(self, answers: float, seconds: float) -> int:
        """Return how many predictions may wait if some answers take this time."""
        return max(_MIN_WAITING, int(self._turn_seconds * answers / seconds))


def is_whole_request(data: bytes) -> bool:
    """Return True if received bytes are one request, and no header changes the connection."""
    head_length = data.find(_END_OF_HEAD) + 2
    length = _CONTENT_LENGTH.search(data, 0, head_length)
    return (
        length is not None
        and head_length + 2 + int(length[1]) == len(data)
        and not _SPECIAL_HEADER.search(data, 0, head_length)
    )


def overload_response(
    data: bytes, default_headers: Sequence[Header], other_headers: Sequence[Header]
) -> bytes:
    """Return the refusal of a request.

    Args:
        data: The request.
        default_headers: uvicorn's headers of all answers.
        other_headers: Headers of this answer.
    """
    client_id = _REQUEST_ID.search(data)
    request_id = client_id[1] if client_id else new_request_id()
    body = _BODY % request_id
    headers = b"".join(b"%b: %b\r\n" % header for header in (*default_headers, *other_headers))
    return _HEAD % (len(body), request_id, headers) + body
