"""Settings of a server process: command line, environment, and the default polling interval."""

import os
import re
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import dataclass
from math import inf
from pathlib import Path

from housectl.contract.serving_settings import (
    ORIGIN_PATTERN,
    ROOT_PATH_PATTERN,
    ServingSettings,
)
from housectl.cores import usable_cores
from housectl.store.address import StoreAddress

STORE_VARIABLE = "HOUSECTL_STORE"
POLL_INTERVAL_VARIABLE = "HOUSECTL_POLL_INTERVAL"
WORKERS_VARIABLE = "HOUSECTL_SERVE_WORKERS"
OBJECTIVE_VARIABLE = "HOUSECTL_OBJECTIVE_MS"
SHADOW_VARIABLE = "HOUSECTL_SHADOW"
CANARY_VARIABLE = "HOUSECTL_CANARY"
PERCENT_VARIABLE = "HOUSECTL_PERCENT"
CANARY_HEADER_VARIABLE = "HOUSECTL_CANARY_HEADER"
API_KEYS_VARIABLE = "HOUSECTL_API_KEYS_FILE"
ROOT_PATH_VARIABLE = "HOUSECTL_ROOT_PATH"
CORS_ORIGINS_VARIABLE = "HOUSECTL_CORS_ORIGINS"

_DEFAULT_STORE = ".housectl/store"
_MIN_INTERVAL, _MAX_INTERVAL = 0.05, 3600.0
_MAX_WORKERS = 256


@dataclass(frozen=True, kw_only=True)
class Settings(ServingSettings):
    """Settings of a server process. The name of the canary's header is in lower case.

    Attributes:
        store: Address of the store whose champion is served.
        workers: Number of processes that serve.
    """

    store: str
    workers: int


def read_settings() -> Settings:
    """Read the command line and the environment of this process."""
    options = _parser().parse_args()
    store = os.environ.get(STORE_VARIABLE) or _DEFAULT_STORE
    return Settings(
        host=options.host,
        port=options.port,
        store=store,
        poll_interval=options.poll_interval,
        workers=options.workers,
        objective_ms=options.objective_ms,
        shadow=options.shadow or None,
        canary=options.canary or None,
        canary_percent=options.percent,
        canary_header=options.canary_header and options.canary_header.lower(),
        api_keys_file=options.api_keys_file,
        root_path=options.root_path,
        cors_origins=options.cors_origins,
        access_log=options.access_log,
        prediction_log=options.prediction_log,
        prediction_log_sample=options.prediction_log_sample,
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


def worker_count(text: str) -> int:
    """Return the number of workers that a text such as 4 means; `auto` is one per usable core.

    Raises:
        ArgumentTypeError: The number is out of range.
    """
    number = usable_cores() if text == "auto" else int(text)
    if not 1 <= number <= _MAX_WORKERS:
        raise ArgumentTypeError(f"{text} is neither auto nor between 1 and {_MAX_WORKERS}")
    return number


def milliseconds(text: str) -> float:
    """Return the milliseconds of a number such as 50.

    Raises:
        ArgumentTypeError: The number is not above 0.
    """
    value = float(text)
    if not 0 < value < inf:
        raise ArgumentTypeError(f"{text} is not above 0")
    return value


def percentage(text: str) -> float:
    """Return a percentage such as 5, of which the rest is not zero.

    Raises:
        ArgumentTypeError: The number is not between 0 and 100.
    """
    value = float(text)
    if not 0 < value < 100:  # noqa: PLR2004
        raise ArgumentTypeError(f"{text} is not between 0 and 100")
    return value


def fraction(text: str) -> float:
    """Return a fraction such as 0.1.

    Raises:
        ArgumentTypeError: The number is not above 0, or above 1.
    """
    value = float(text)
    if not 0 < value <= 1:
        raise ArgumentTypeError(f"{text} is not above 0 and at most 1")
    return value


def root_path(text: str) -> str:
    """Return a path under which a proxy serves, without a slash at its end.

    Raises:
        ArgumentTypeError: The path is invalid.
    """
    if not re.fullmatch(ROOT_PATH_PATTERN, text):
        raise ArgumentTypeError(f"{text} is not a path such as /models/boston")
    return text


def origins(text: str) -> tuple[str, ...]:
    """Return origins such as https://shop.example, which commas separate; `*` means all.

    Raises:
        ArgumentTypeError: An origin is invalid.
    """
    values = tuple(filter(None, text.split(",")))
    for value in values:
        if not re.fullmatch(ORIGIN_PATTERN, value):
            raise ArgumentTypeError(
                f"{value} is neither * nor an origin in lower case: https://shop.example"
            )
    return values


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
    parser.add_argument(
        "--workers",
        type=worker_count,
        default=os.environ.get(WORKERS_VARIABLE, "1"),
        help="number of processes that serve, or auto: one for each usable core",
    )
    parser.add_argument(
        "--objective-ms",
        type=milliseconds,
        default=os.environ.get(OBJECTIVE_VARIABLE, "50"),
        help="time in ms that a prediction may wait; a busier server refuses it",
    )
    _add_version_options(parser)
    _add_access_options(parser)
    _add_log_options(parser)
    parser.add_argument("--json", action="store_true", help="log JSON on stdout")
    return parser


def _add_log_options(parser: ArgumentParser) -> None:
    parser.add_argument("--access-log", action="store_true", help="log each request")
    parser.add_argument(
        "--prediction-log", type=Path, help="file that gets features and predictions as JSON lines"
    )
    parser.add_argument(
        "--prediction-log-sample",
        type=fraction,
        default=1.0,
        help="fraction of the predicted rows that is logged",
    )


def _add_access_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--api-keys-file",
        metavar="FILE",
        type=Path,
        default=os.environ.get(API_KEYS_VARIABLE) or None,
        help="file of hashed API keys, one of which each request needs",
    )
    parser.add_argument(
        "--root-path",
        type=root_path,
        default=os.environ.get(ROOT_PATH_VARIABLE, ""),
        help="path under which a proxy serves",
    )
    parser.add_argument(
        "--cors-origins",
        metavar="ORIGINS",
        type=origins,
        default=os.environ.get(CORS_ORIGINS_VARIABLE, ""),
        help="origins whose web pages may send requests, with commas, or *",
    )


def _add_version_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--shadow",
        metavar="VERSION",
        default=os.environ.get(SHADOW_VARIABLE),
        help="version whose predictions are compared with the champion's",
    )
    parser.add_argument(
        "--canary",
        metavar="VERSION",
        default=os.environ.get(CANARY_VARIABLE),
        help="version that answers a part of the predictions",
    )
    parser.add_argument(
        "--percent",
        type=percentage,
        default=os.environ.get(PERCENT_VARIABLE, "5"),
        help="part of the predictions that the canary answers",
    )
    parser.add_argument(
        "--canary-header",
        metavar="NAME",
        default=os.environ.get(CANARY_HEADER_VARIABLE),
        help="header whose value chooses the model; by default the id of the request",
    )
