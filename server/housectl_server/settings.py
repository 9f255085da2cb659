"""Settings of a server process: command line, environment, and the default polling interval."""

import os
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import dataclass

from housectl.store.address import StoreAddress

STORE_VARIABLE = "HOUSECTL_STORE"
POLL_INTERVAL_VARIABLE = "HOUSECTL_POLL_INTERVAL"

_DEFAULT_STORE = ".housectl/store"
_MIN_INTERVAL, _MAX_INTERVAL = 0.05, 3600.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a server process.

    Attributes:
        host, port: Address to listen on.
        store: Address of the store whose champion is served.
        poll_interval: Polling interval in seconds; None for the default.
        as_json: True to log one JSON object per line on stdout, instead of text on stderr.
    """

    host: str
    port: int
    store: str
    poll_interval: float | None
    as_json: bool


def read_settings() -> Settings:
    """Read the command line and the environment of this process."""
    options = _parser().parse_args()
    store = os.environ.get(STORE_VARIABLE) or _DEFAULT_STORE
    return Settings(
        host=options.host,
        port=options.port,
        store=store,
        poll_interval=options.poll_interval,
        as_json=options.json,
    )


def default_poll_interval(address: StoreAddress) -> float:
    """Return the default polling interval in seconds. Requests to an object store cost money."""
    return 2.0 if address.is_remote else 0.25


def duration(text: str) -> float:
    """Return the seconds of a duration such as 0.5s.

    Raises:
        ArgumentTypeError: The duration is out of range.
    """
    value = float(text.removesuffix("s"))
    if not _MIN_INTERVAL <= value <= _MAX_INTERVAL:
        raise ArgumentTypeError(
            f"{text} is not between {_MIN_INTERVAL} and {_MAX_INTERVAL} seconds"
        )
    return value


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="housectl-server",
        description=f"Serve the champion of the store that {STORE_VARIABLE} names.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument(
        "--port", type=int, default=8005, help="port to listen on; 0 picks a free one"
    )
    parser.add_argument(
        "--poll-interval",
        type=duration,
        default=os.environ.get(POLL_INTERVAL_VARIABLE),
        help="time between two looks at the store; by default 0.25s, and 2s for object stores",
    )
    parser.add_argument("--json", action="store_true", help="log JSON on stdout")
    return parser
