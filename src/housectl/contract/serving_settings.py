"""Settings that the command line passes on to the server."""

from dataclasses import dataclass
from pathlib import Path

ROOT_PATH_PATTERN = r"(/[A-Za-z0-9._~-]+)*"
"""Pattern of a path under which a proxy serves, without a slash at its end."""

ORIGIN_PATTERN = r"\*|https?://[a-z0-9.:\[\]-]+"
"""Pattern of an origin, as browsers send it: in lower case. `*` means all origins."""


@dataclass(frozen=True, kw_only=True)
class ServingSettings:
    """Settings of a server.

    Attributes:
        host, port: Address to listen on.
        poll_interval: Polling interval in seconds; None for the server's default.
        objective_ms: Maximum time in ms that a prediction may wait.
        shadow: Version whose predictions are compared with the champion's; None for none.
        canary: Version that answers a part of the predictions; None for none.
        canary_percent: This part, between 0 and 100.
        canary_header: Header whose value chooses the model; None for the request's id.
        api_keys_file: File of the API keys, one of which each request needs; None for no keys.
        root_path: Path under which a proxy serves; empty for none.
        cors_origins: Origins whose web pages may send requests.
        access_log: True to log each request.
        prediction_log: File that gets features and predictions; None for none.
        prediction_log_sample: Fraction of the predicted rows that is logged.
        as_json: True to log one JSON object per line on stdout, instead of text on stderr.
    """

    host: str
    port: int
    poll_interval: float | None
    objective_ms: float
    shadow: str | None
    canary: str | None
    canary_percent: float
    canary_header: str | None
    api_keys_file: Path | None
    root_path: str
    cors_origins: tuple[str, ...]
    access_log: bool
    prediction_log: Path | None
    prediction_log_sample: float
    as_json: bool
