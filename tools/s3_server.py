"""An S3 server on the loopback interface, and the environment in which clients reach it."""

import os
import sys
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tools.server_process import free_port, server_process

if TYPE_CHECKING:
    from obstore.store import S3Store

_VERSITYGW = Path(sys.executable).with_name("versitygw")
_ACCESS_KEY = "housectl-test"
_SECRET_KEY = "housectl-test-secret"  # noqa: S105
_REGION = "us-east-1"
_LOG_FILE = "s3-server.log"
# Each line of a request has it between the time and the status.
_LOG_MARK = " | vgw | "


@dataclass(frozen=True, kw_only=True)
class S3Server:
    """A running S3 server, or a proxy before it.

    Attributes:
        url: URL of the server, without a bucket.
    """

    url: str

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables that S3 clients read."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": _SECRET_KEY,
            "AWS_REGION": _REGION,
            "AWS_ALLOW_HTTP": "true",
        }

    def new_bucket(self) -> str:
        """Create a bucket, and return its name."""
        from obstore import sign

        name = f"bucket-{uuid.uuid4()}"
        url = sign(self.client(name), "PUT", "", timedelta(minutes=1))
        with urllib.request.urlopen(urllib.request.Request(url, method="PUT")):  # noqa: S310
            return name

    def client(self, bucket: str) -> "S3Store":
        """Return a client of a bucket, which retries nothing."""
        from obstore.store import S3Store

        return S3Store(
            bucket,
            endpoint=self.url,
            access_key_id=_ACCESS_KEY,
            secret_access_key=_SECRET_KEY,
            region=_REGION,
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )


@contextmanager
def s3_server(
    directory: Path, *, host: str = "127.0.0.1", port: int | None = None
) -> Iterator[S3Server]:
    """Run versitygw during the block; it ends with this process, too.

    Args:
        directory: Directory for the objects; a later server with the same directory has them, too.
        host: Address of this machine to listen on.
        port: Port of the server; a free one by default.

    Raises:
        ServerStartError: The server does not answer.
    """
    server = S3Server(url=f"http://{host}:{port or free_port()}")
    address = server.url.removeprefix("http://")
    objects, metadata = directory / "objects", directory / "metadata"
    for each in (objects, metadata):
        each.mkdir(parents=True, exist_ok=True)
    options = [] if _has_attributes(objects) else ["--sidecar", str(metadata)]
    with server_process(
        [_VERSITYGW, "--port", address, "--keep-alive", "posix", *options, objects],
        url=server.url,
        log=directory / _LOG_FILE,
        environment={"ROOT_ACCESS_KEY": _ACCESS_KEY, "ROOT_SECRET_KEY": _SECRET_KEY},
    ):
        yield server


def _has_attributes(directory: Path) -> bool:
    """Return True if files in a directory can have extended attributes."""
    if sys.platform != "linux":
        return True
    try:
        os.setxattr(directory, "user.housectl", b"1")
    except OSError:
        return False
    return True


def logged_requests(directory: Path) -> list[str]:
    """Return the method and the path of each request that a server in a directory has answered."""
    lines = (directory / _LOG_FILE).read_text().splitlines()
    fields = (line.split(" | ") for line in lines if _LOG_MARK in line)
    return [f"{method} {path}" for *_, method, path, _, _ in fields]
