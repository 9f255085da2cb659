"""Logging: configuration of the log, and output of a startup error."""

import json
import logging
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from math import inf

from housectl.contract.terminal_text import printable, printable_lines
from housectl.errors import HousectlError

_REPETITION_SECONDS = 60.0
_LOGGERS_OF_CLIENT_FAULTS = ("uvicorn.error", "housectl_server.http.connections")


def configure_logging(*, as_json: bool) -> None:
    """Send the log to stderr as text, or to stdout as one JSON object a line."""
    # A server whose log is lost continues; otherwise each line would print a traceback.
    logging.raiseExceptions = False
    handler = logging.StreamHandler(sys.stdout if as_json else sys.stderr)
    handler.setFormatter(
        _JsonFormatter() if as_json else TextFormatter("%(asctime)s %(levelname)s %(message)s")
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    repetitions = RepetitionFilter(seconds=_REPETITION_SECONDS)
    for name in _LOGGERS_OF_CLIENT_FAULTS:
        logging.getLogger(name).addFilter(repetitions)


def print_startup_error(error: HousectlError, *, as_json: bool) -> None:
    """Print the error that prevents the server from starting, with its hint."""
    if as_json:
        fields = {
            "status": error.status,
            "reference": error.reference,
            "message": error.message,
            "hint": error.hint,
        }
        print(json.dumps({"error": fields}))
    else:
        text = printable_lines(f"error: {error.message}\nhint:  {error.hint}")
        print(text, file=sys.stderr)


class RepetitionFilter(logging.Filter):
    """Passes one warning of each kind per interval, with the number of those before it.

    Clients cause these warnings, so their number must not grow with the number of requests.
    """

    def __init__(self, *, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._passed_at: dict[str, float] = {}
        self._suppressed: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True if the record is logged."""
        if record.levelno != logging.WARNING:
            return True
        kind, now = str(record.msg), time.monotonic()
        if now - self._passed_at.get(kind, -inf) < self._seconds:
            self._suppressed[kind] += 1
            return False
        self._passed_at[kind] = now
        if suppressed := self._suppressed.pop(kind, 0):
            record.msg = f"{kind} (and {suppressed} times before)"
        return True


class TextFormatter(logging.Formatter):
    """Formats a record as a line without control characters, which clients may have sent."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        """Return the line of a record; a traceback follows it."""
        return printable(super().formatMessage(record))


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields)
