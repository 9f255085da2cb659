"""The service's command line: `python -m housectl_suggestion [--port PORT] [--version]`."""

import json
import logging
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from threading import Event

from housectl.errors import ExitStatus, HousectlError
from housectl.search.katib_texts import SUGGESTION_PORT
from housectl.search.sampler import SAMPLER_VERSION
from housectl_suggestion.server import running_server

_GRACE_SECONDS = 5.0

_log = logging.getLogger(__name__)


def main() -> int:
    """Serve until a signal ends the process; return its exit status."""
    arguments = _parser().parse_args()
    if arguments.version:
        print(json.dumps(_version()))
        return ExitStatus.OK
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stopped = Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stopped.set())
    try:
        with running_server(arguments.port, grace_seconds=_GRACE_SECONDS) as server:
            _log.info("listening on port %d with sampler %d", server.port, SAMPLER_VERSION)
            stopped.wait()
            _log.info("stopping")
    except HousectlError as error:
        print(f"error: {error.message}\nhint:  {error.hint}", file=sys.stderr)
        return error.status
    return ExitStatus.OK


def _version() -> Mapping[str, int]:
    return {"sampler": SAMPLER_VERSION}


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m housectl_suggestion",
        description="Answer Katib's requests for suggestions over gRPC.",
    )
    parser.add_argument(
        "--port", type=int, default=SUGGESTION_PORT, help="port (default: %(default)s)"
    )
    parser.add_argument(
        "--version", action="store_true", help="print the version of the sampler as JSON"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
