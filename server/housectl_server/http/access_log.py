"""The access log: a line for each answered request, without a value of a feature."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

from starlette.types import Scope

from housectl_server.http.answer_headers import API_KEY_NAME, model_version_of, request_id_of
from housectl_server.monitoring.background_writer import BackgroundWriter

_MAX_WAITING = 20_000
_MAX_PATH_LENGTH = 200

_log = logging.getLogger(__name__)


class _Access(NamedTuple):
    request_id: str
    method: str
    path: str
    status: int
    seconds: float
    model: str | None
    api_key: str | None


class AccessLog:
    """Writes the access log in a thread.

    Attributes:
        writer: Writes the lines.
    """

    def __init__(self) -> None:
        self.writer: BackgroundWriter[_Access] = BackgroundWriter(_write, name="access log")

    def __call__(self, scope: Scope, status: int, seconds: float) -> None:
        """Log an answered request. Its query is left out, because it may have values of features.

        Args:
            scope: The request.
            status: Status of the answer.
            seconds: Time to the answer.
        """
        access = _Access(
            request_id=request_id_of(scope),
            method=scope["method"],
            path=scope["path"][:_MAX_PATH_LENGTH],
            status=status,
            seconds=round(seconds, 6),
            model=model_version_of(scope),
            api_key=scope.get(API_KEY_NAME),
        )
        self.writer.put(access, capacity=_MAX_WAITING)


def _write(accesses: Sequence[_Access]) -> None:
    for access in accesses:
        _log.info(
            "request %s: %s %s answered with %d in %.1f ms",
            *(access.request_id, access.method, access.path, access.status),
            access.seconds * 1000,
            extra={"fields": access._asdict()},
        )
