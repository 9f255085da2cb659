"""A server whose store is in S3, and whose requests hang."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from housectl.store.address import StoreAddress
from housectl.store.factory import open_store
from tests.server.bundles import make_bundle, promote
from tests.server.running import running, start, wait_until
from tests.servers.environment import use_server
from tests.servers.s3_proxy import Fault, S3Proxy, s3_proxy
from tools.s3_server import S3Server

POLL = ("--poll-interval", "0.1")


@pytest.fixture
def proxy(s3: S3Server) -> Iterator[S3Proxy]:
    """A proxy before the S3 server, which this process and its children use."""
    with s3_proxy(s3) as proxy, use_server(proxy.server):
        yield proxy


@pytest.fixture
def address(proxy: S3Proxy, tmp_path: Path) -> str:
    """Address of a store with a champion."""
    address = f"s3://{proxy.server.new_bucket()}/store"
    promote(open_store(StoreAddress.parse(address), cache=None), make_bundle(tmp_path))
    return address


def hang_next_request(proxy: S3Proxy) -> None:
    """Let all requests hang, and wait for the first one."""
    proxy.forget_requests()
    proxy.fail_all(Fault.HOLD)
    wait_until(lambda: proxy.faults)


@pytest.mark.slow
def test_hanging_request_degrades_server_until_another_one_succeeds(
    proxy: S3Proxy, address: str, output: Path
) -> None:
    with running(address, output, arguments=POLL) as server:
        hang_next_request(proxy)
        health = server.wait_for(status="degraded")
        assert "The store does not respond" in str(health["reason"])
        assert server.predict().json() == {"predicted_price": 30.0}
        proxy.fail_none()
        server.wait_for(status="ok", reason=None)


def test_bundle_is_served_only_after_a_complete_download(
    s3: S3Server, proxy: S3Proxy, address: str, output: Path, tmp_path: Path
) -> None:
    new = make_bundle(tmp_path, base=2.0)
    with running(address, output, arguments=POLL) as server:
        proxy.choose_fault = lambda request: (
            Fault.TRUNCATE if request.operation == "GET" and "bundles/" in request.key else None
        )
        with use_server(s3):
            promote(open_store(StoreAddress.parse(address), cache=None), new)
        server.wait_for(status="degraded")
        assert server.predict().json() == {"predicted_price": 30.0}
        proxy.fail_none()
        server.wait_for(status="ok", model_digest=new.digest)


def test_shutdown_does_not_wait_for_a_request(proxy: S3Proxy, address: str, output: Path) -> None:
    with running(address, output, arguments=POLL) as server:
        hang_next_request(proxy)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=30) == 0
        assert "Traceback" not in server.log()


def test_signal_ends_a_start_that_waits_for_a_request(
    proxy: S3Proxy, address: str, output: Path
) -> None:
    proxy.forget_requests()
    proxy.fail_all(Fault.HOLD)
    process = start(address, output, arguments=("--port", "0"))
    wait_until(lambda: proxy.faults)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
