"""Clients of S3 servers, for tests that look below the store."""

from obstore.store import S3Store

from tools.s3_server import S3Server


def s3_client(server: S3Server, bucket: str) -> S3Store:
    """Return a client of a bucket that retries nothing."""
    return S3Store(
        bucket,
        config={name.lower(): value for name, value in server.environment.items()},
        retry_config={"max_retries": 0},
    )
