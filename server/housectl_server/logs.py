"""Logging: configuration of the log, and output of a startup error."""

import json
import logging
import sys
from datetime import UTC, datetime

from housectl.errors import HousectlError


def configure_logging(*, as_json: bool) -> None:
    """Send the log to stderr as text, or to stdout as one JSON object a line."""
    handler = logging.StreamHandler(sys.stdout if as_json else sys.stderr)
    handler.setFormatter(
        _JsonFormatter() if as_json else logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler])


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
        print(f"error: {error.message}\nhint:  {error.hint}", file=sys.stderr)


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields)
