"""moto's S3 server, the second implementation of S3 for tests."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.s3_server import S3Server
from tools.server_process import free_port, server_process


@contextmanager
def moto_server(log: Path) -> Iterator[S3Server]:
    """Run moto's server during the block; its objects are in memory."""
    port = free_port()
    server = S3Server(url=f"http://127.0.0.1:{port}")
    # -P: otherwise this module would hide the package of the same name.
    program = Path(__file__).with_name("moto_process.py")
    command = [sys.executable, "-P", str(program), str(port)]
    with server_process(command, url=server.url, log=log, environment=os.environ):
        yield server
