"""What a server is started with."""

import os
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

STORE_VARIABLE = "HOUSECTL_STORE"

_DEFAULT_STORE = ".housectl/store"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where a server listens, whose champion it serves, and how it tells of itself.

    Attributes:
        as_json: Whether the log is one JSON object a line on stdout, instead of text on stderr.
    """

    host: str
    port: int
    store: Path
    as_json: bool


def read_settings() -> Settings:
    """Read the command line and the environment of this process."""
    options = _parser().parse_args()
    store = Path(os.environ.get(STORE_VARIABLE, _DEFAULT_STORE))
    return Settings(host=options.host, port=options.port, store=store, as_json=options.json)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="housectl-server",
        description=f"Serves the champion of the store that {STORE_VARIABLE} names.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8005, help="port to listen on; 0 for any free")
    parser.add_argument("--json", action="store_true", help="log JSON on stdout")
    return parser
