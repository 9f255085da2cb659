"""The environment of processes that use an S3 server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from tools.s3_server import S3Server


@contextmanager
def use_server(server: S3Server) -> Iterator[None]:
    """Let this process and its child processes use a server during the block."""
    with patch.dict(os.environ, server.environment):
        yield
