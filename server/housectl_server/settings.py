"""Settings of a server process: command line and environment."""

import os
from argparse import ArgumentParser
from dataclasses import dataclass

STORE_VARIABLE = "HOUSECTL_STORE"

_DEFAULT_STORE = ".housectl/store"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a server process.

    Attributes:
        host, port: Address to listen on.
        store: Address of the store whose champion is served.
        as_json: True to log one JSON object per line on stdout, instead of text on stderr.
    """

    host: str
    port: int
    store: str
    as_json: bool


def read_settings() -> Settings:
    """Read the command line and the environment of this process."""
    options = _parser().parse_args()
    store = os.environ.get(STORE_VARIABLE) or _DEFAULT_STORE
    return Settings(host=options.host, port=options.port, store=store, as_json=options.json)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="housectl-server",
        description=f"Serve the champion of the store that {STORE_VARIABLE} names.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument(
        "--port", type=int, default=8005, help="port to listen on; 0 picks a free one"
    )
    parser.add_argument("--json", action="store_true", help="log JSON on stdout")
    return parser
