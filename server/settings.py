"""What a server is started with."""

import os
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

STORE_VARIABLE = "HOUSECTL_STORE"

_DEFAULT_STORE = ".housectl/store"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where a server listens, and the store whose champion it serves."""

    host: str
    port: int
    store: Path


def read_settings(arguments: Sequence[str] | None = None) -> Settings:
    """Read the command line and the environment.

    Args:
        arguments: Those of this process when None.
    """
    options = _parser().parse_args(arguments)
    store = Path(os.environ.get(STORE_VARIABLE, _DEFAULT_STORE))
    return Settings(host=options.host, port=options.port, store=store)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="server",
        description=f"Serves the champion of the store that {STORE_VARIABLE} names.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on")
    return parser
